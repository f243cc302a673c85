public import Backbones
public import Torch
public import Views

/// SwAV: swapping assignments between views (Caron et al. 2020, arXiv:2006.09882).
///
///     L = mean over large views s and other views t of −Σ q_s·log softmax(zₜᵀC/τ)      (eq. 1–2)
///     q = Sinkhorn–Knopp of zᵀC / ε over the batch, all prototypes alike               (eq. 3–5)
///
/// z and the prototypes C have length 1. Small batches are helped by a queue of past z for the assignments (section 3.1).
/// The authors' LARC adapts the rate of biases and norms too; our LARS steps them at the plain rate.
public final class SwAV: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 128
        /// K
        public var prototypes = 3000
        /// τ
        public var temperature = 0.1
        /// ε
        public var epsilon = 0.05
        public var sinkhornIterations = 3
        /// Epochs in which the prototypes stand still (the paper's 313 steps are one).
        public var frozenEpochs = 1
        /// Past z of each large view; 0 for no queue.
        public var queueLength = 0
        public var queueFromEpoch = 15
        /// Small views beside the two large ones.
        public var smallViews = 6

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("prototypes", prototypes)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.positive("epsilon", epsilon)
            try SettingsCheck.positive("sinkhornIterations", sinkhornIterations)
            try SettingsCheck.notNegative("frozenEpochs", frozenEpochs)
            try SettingsCheck.notNegative("queueLength", queueLength)
            try SettingsCheck.notNegative("queueFromEpoch", queueFromEpoch)
            try SettingsCheck.notNegative("smallViews", smallViews)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.prototypes = FewImages.groups(prototypes, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "swav", title: "SwAV", family: .clustering, paper: "Caron et al. 2020, arXiv:2006.09882",
        summary: "predicts, from one view, the balanced prototype assignment of another")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.multiCrop(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews)
    }

    let online: ProjectedEncoder
    let prototypes: Prototypes
    /// One for each large view.
    let queues: [Queue]
    private let settings: Settings
    private var newest: [Tensor] = []

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        prototypes = Prototypes(settings.prototypes, width: settings.outputWidth)
        prototypes.normalize()
        queues = settings.queueLength > 0 ? (0..<2).map { _ in Queue(length: settings.queueLength, width: settings.outputWidth) } : []
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = online.together(batch.views).map { $0.precise.normalized() }
        newest = z.prefix(2).map { $0.detached() }
        let scores = z.map { prototypes($0) }
        let codes = withoutGradients {
            scores.prefix(2).enumerated().map { view, own in
                var all = own
                if step.epoch >= settings.queueFromEpoch, !queues.isEmpty, queues[view].isFull {
                    all = .concatenated([own, prototypes(queues[view].rows)])
                }
                return SinkhornKnopp.assignments(all, epsilon: settings.epsilon, iterations: settings.sinkhornIterations)[0..<own.size(0)]
            }
        }
        return ["swapped": Self.swapped(scores, codes, temperature: settings.temperature)]
    }

    /// - Parameters:
    ///   - scores: every view's zᵀC, [n, K].
    ///   - codes: q of the large views, which come first.
    static func swapped(_ scores: [Tensor], _ codes: [Tensor], temperature: Double) -> Tensor {
        var terms: [Tensor] = []
        for (s, code) in codes.enumerated() {
            for (t, other) in scores.enumerated() where t != s { terms.append((other / temperature).crossEntropy(code)) }
        }
        return Tensor.stacked(terms).mean()
    }

    public func beforeOptimizerStep(_ step: Step) {
        if step.epoch < settings.frozenEpochs { prototypes.clearGradients() }
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        prototypes.normalize()
        for (queue, z) in zip(queues, newest) { queue.add(z) }
        newest = []
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public func targets(of pixels: Tensor) -> Tensor? {
        (prototypes(online(pixels).normalized()) / settings.temperature).softmax(1)
    }
}
