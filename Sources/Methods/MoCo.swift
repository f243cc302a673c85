public import Backbones
public import Torch
public import Views

/// MoCo: Momentum Contrast (He et al. 2020, arXiv:1911.05722), with version 2's head and views (Chen et al. 2020,
/// arXiv:2003.04297).
///
///     L = −log( exp(q·k₊/τ) / ( exp(q·k₊/τ) + Σ_queue exp(q·k/τ) ) )      (eq. 1), k by the momentum encoder
///     θ_k ← m·θ_k + (1 − m)·θ_q                                           (eq. 2)
///
/// The queue keeps the keys of past batches. Version 1 has one linear layer as its head and τ = 0.07, version 2 two layers,
/// τ = 0.2 and a blur. So that batch statistics do not tell which key belongs to a query, both go through the network in
/// `batchNormParts` parts, the keys in another order (shuffling BN, section 3.3, on one device). The symmetric option adds
/// the loss with the views exchanged, as the authors' CIFAR-10 notebook does.
public final class MoCo: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of the head's hidden layer; 0 takes the backbone's width.
        public var hiddenWidth = 0
        public var outputWidth = 128
        /// 1 in MoCo v1, 2 in v2.
        public var headLayers = 2
        public var queueLength = 65536
        /// τ
        public var temperature = 0.2
        /// m
        public var keyDecay = Schedule.constant(0.999)
        /// As the paper's 8 GPUs have it; 1 leaves the statistics to the whole batch.
        public var batchNormParts = 8
        public var symmetric = false

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.positive("queueLength", queueLength)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("keyDecay", keyDecay)
            try SettingsCheck.positive("batchNormParts", batchNormParts)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.queueLength = FewImages.queue(queueLength, count)
            // Statistics of fewer than 32 images are noise.
            copy.batchNormParts = min(batchNormParts, max(1, batchSize / 32))
            return copy
        }
    }

    public static let card = MethodCard(
        name: "moco", title: "MoCo", family: .contrastive,
        paper: "He et al. 2020, arXiv:1911.05722; v2: Chen et al. 2020, arXiv:2003.04297",
        summary: "finds a view's key, by a moving average, among a queue of past ones", needs: "a second network, a queue")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.moCo(size: ImageSize(imageSize))
    }

    /// θ_q
    let online: ProjectedEncoder
    /// θ_k
    let target: ProjectedEncoder
    let queue: Queue
    private let settings: Settings
    private var keys: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            let hidden = settings.hiddenWidth > 0 ? settings.hiddenWidth : encoder.outputWidth
            let widths = [encoder.outputWidth] + Array(repeating: hidden, count: settings.headLayers - 1) + [settings.outputWidth]
            return ProjectedEncoder(encoder, MLP(widths, batchNorm: false))
        }
        online = try branch()
        target = try branch()
        queue = Queue(length: settings.queueLength, width: settings.outputWidth)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let directions = settings.symmetric ? [(0, 1), (1, 0)] : [(0, 1)]
        var newKeys: [Tensor] = []
        let losses = directions.map { from, to in
            let key = withoutGradients { self.key(batch.views[to]) }
            newKeys.append(key.normalized())
            let query = online(batch.views[from], parts: settings.batchNormParts)
            return ContrastiveLoss.infoNCE(query, key, negatives: queue.rows, temperature: settings.temperature)
        }
        keys = .concatenated(newKeys)
        return ["info_nce": losses.dropFirst().reduce(losses[0], +)]
    }

    /// The momentum encoder's output, of parts that hold other samples together than the queries' do.
    private func key(_ pixels: Tensor) -> Tensor {
        guard settings.batchNormParts > 1 else { return target(pixels) }
        let order = Tensor.randomPermutation(pixels.size(0)).to(pixels.device)
        return target(pixels.rows(order), parts: settings.batchNormParts).rows(order.sorted().indices)
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let keys { queue.add(keys) }
        keys = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.keyDecay)] }
}
