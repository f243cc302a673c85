public import Backbones
public import Torch
public import Views

/// MSN: Masked Siamese Networks (Assran et al. 2022, arXiv:2204.07141).
///
///     L = mean over anchors of H(p⁺, p) − λ·H(p̄)                                                        (eq. 1)
///     p = softmax(z·q / τ),   p⁺ = p(z⁺) sharpened: p_k^(1/T) / Σ p_j^(1/T), balanced over the batch
///
/// Balanced is done by Sinkhorn–Knopp, as the paper's code and recipes have it, so that λ need not be tuned. z are the anchors' projections at length 1, q learned prototypes at length 1; z⁺ is the moving average's of the whole target
/// view. Random patches are hidden from the large anchor; the small ones ("focal") are seen whole. p̄, the mean over all
/// anchors, is kept from resting on few prototypes.
public final class MSN: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var maskRatio = 0.15
        public var hiddenWidth = 2048
        public var outputWidth = 256
        /// K
        public var prototypes = 1024
        /// τ
        public var temperature = 0.1
        /// T
        public var sharpening = 0.25
        /// λ
        public var meanEntropyWeight = 1.0
        /// That make all prototypes targets alike often; 0 for none.
        public var sinkhornIterations = 3
        public var targetDecay = Schedule.linear(from: 0.996, to: 1)
        /// Focal views.
        public var smallViews = 10

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.fraction("maskRatio", maskRatio)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("prototypes", prototypes)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.positive("sharpening", sharpening)
            try SettingsCheck.notNegative("meanEntropyWeight", meanEntropyWeight)
            try SettingsCheck.notNegative("sinkhornIterations", sinkhornIterations)
            try SettingsCheck.fraction("targetDecay", targetDecay)
            try SettingsCheck.notNegative("smallViews", smallViews)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.prototypes = FewImages.groups(prototypes, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "msn", title: "MSN", family: .maskedModelling, paper: "Assran et al. 2022, arXiv:2204.07141",
        summary: "assigns a view with hidden patches to the prototypes of the whole view", needs: "a second network", needsPatches: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.msn(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews)
    }

    /// An encoder and three linear layers with batch normalisation and GELU between them.
    final class Network: Module {
        let patches: PatchEncoder
        let head: Sequential

        init(_ patches: PatchEncoder, hidden: Int, outputs: Int) {
            self.patches = patches
            head = Sequential(
                Linear(patches.outputWidth, hidden), BatchNorm(hidden), Activation.gelu, Linear(hidden, hidden), BatchNorm(hidden),
                Activation.gelu, Linear(hidden, outputs))
        }

        func callAsFunction(_ pixels: Tensor, _ masking: Masking) -> Tensor { head(patches.pooled(patches.tokens(pixels, masking))) }
    }

    let online: Network
    let prototypes: Prototypes
    let target: Network
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func network() throws -> Network {
            Network(try context.makePatchEncoder(), hidden: settings.hiddenWidth, outputs: settings.outputWidth)
        }
        online = try network()
        prototypes = Prototypes(settings.prototypes, width: settings.outputWidth)
        target = try network()
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let (whole, anchor) = (batch.views[0], batch.views[1])
        let goal = withoutGradients { target(whole, .none) }
        var anchors = [online(anchor, .visible(kept(anchor)))]
        let small = Array(batch.views.dropFirst(2))
        if !small.isEmpty { anchors += online(.concatenated(small), .none).chunks(small.count) }
        let parts = Self.assignment(
            anchors, goal, prototypes.weight.value, temperature: settings.temperature, sharpening: settings.sharpening,
            sinkhornIterations: settings.sinkhornIterations)
        return ["cross_entropy": parts.crossEntropy, "mean_entropy": parts.meanEntropy * -settings.meanEntropyWeight]
    }

    /// The places that are seen of an anchor, [n, m] int64.
    private func kept(_ anchor: Tensor) -> Tensor {
        let count = online.patches.grid.count
        return PatchMasks.orders(anchor.size(0), count, on: anchor.device)
            .narrowed(1, from: 0, count: max(1, count - Int(Double(count) * settings.maskRatio)))
    }

    /// Of an anchor; what is to be told is the whole view's assignment.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let seen = online.patches.mask(at: kept(pixels))
        return [online.patches.task(of: pixels, seen: seen, told: seen)[0]]
    }

    /// - Parameters:
    ///   - anchors: [n, d] each, of any length.
    ///   - target: [n, d]
    ///   - prototypes: [K, d]
    /// - Returns: H(p⁺, p), and H(p̄), which is to be large.
    static func assignment(
        _ anchors: [Tensor], _ target: Tensor, _ prototypes: Tensor, temperature: Double, sharpening: Double, sinkhornIterations: Int
    ) -> (crossEntropy: Tensor, meanEntropy: Tensor) {
        func scores(_ z: Tensor, _ q: Tensor) -> Tensor { z.normalized().linear(q.normalized()) / temperature }
        // A softmax to the power of 1/T, made a distribution again, is a softmax of the scores over T.
        let goal = withoutGradients {
            let sharpened = (scores(target.detached(), prototypes.detached()) / sharpening).logSoftmax(1)
            return SinkhornKnopp.assignments(sharpened, epsilon: 1, iterations: sinkhornIterations)
        }
        let logarithms = anchors.map { scores($0, prototypes).logSoftmax(1) }
        let crossEntropy = Tensor.stacked(logarithms.map { -(goal * $0).sum(1).mean() }).mean()
        let mean = Tensor.concatenated(logarithms).exp().mean(0)
        return (crossEntropy, -(mean * mean.clamped(1e-30).log()).sum())
    }

    /// What evaluation keeps is the moving average, as the paper has it.
    public var encoder: Encoder { target.patches.encoder }
    public var projector: Module? { target.head }
    public func embedding(_ representation: Tensor) -> Tensor? { target.head(representation) }
    public func targets(of pixels: Tensor) -> Tensor? {
        let scores = prototypes.normalizedScores(target(pixels, .none).normalized())
        return (scores / (settings.temperature * settings.sharpening)).softmax(1)
    }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
