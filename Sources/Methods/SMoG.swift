public import Backbones
internal import Embeddings
public import Torch
public import Views

/// SMoG: Unsupervised Visual Representation Learning by Synchronous Momentum Grouping (Pang et al. 2022, arXiv:2207.06167).
///
///     c_k ← β·c_k + (1 − β)·mean of the zᵢ of the batch whose nearest group is k, with gradient through z     (eq. 3)
///     L = −log( exp(cos(qᵢ, c_y)/τ) / Σ_k exp(cos(qᵢ, c_k)/τ) ),   y the group nearest to z′ᵢ                  (eq. 4)
///
/// z and q are one view's projection and prediction, z′ is the moving average's projection of the other; the views change places
/// at every step. So that groups do not die, they are made anew by k-means of past z′ every so many steps (section 3.3).
public final class SMoG: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of projector and predictor.
        public var hiddenWidth = 2048
        public var outputWidth = 128
        /// K
        public var groups = 3000
        /// β
        public var groupMomentum = 0.99
        /// τ
        public var temperature = 0.1
        public var targetDecay = Schedule.cosine(from: 0.99, to: 1)
        /// Steps after which the groups are made anew, from as many batches' z′ as the queue holds.
        public var regroupEvery = 300
        public var queueLength = 76800

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("groups", groups)
            try SettingsCheck.fraction("groupMomentum", groupMomentum)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("targetDecay", targetDecay)
            try SettingsCheck.positive("regroupEvery", regroupEvery)
            try SettingsCheck.require(
                queueLength >= groups,
                "method.queueLength (\(queueLength)) must be at least method.groups (\(groups)), which are made of it")
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.groups = FewImages.groups(groups, count)
            copy.queueLength = max(copy.groups, FewImages.queue(queueLength, count))
            // As soon as the queue is full.
            copy.regroupEvery = min(regroupEvery, max(1, copy.queueLength / batchSize))
            return copy
        }
    }

    public static let card = MethodCard(
        name: "smog", title: "SMoG", family: .clustering, paper: "Pang et al. 2022, arXiv:2207.06167",
        summary: "contrasts images with groups that follow the batches as they are learned", needs: "a second network, a queue")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let predictor: MLP
    let target: ProjectedEncoder
    /// c, [K, d], of length 1.
    let groups: Buffer
    let queue: Queue
    private let settings: Settings
    private var newest: (groups: Tensor, z: Tensor)?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            return ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        }
        online = try branch()
        predictor = MLP([settings.outputWidth, settings.hiddenWidth, settings.outputWidth])
        target = try branch()
        groups = Buffer(Tensor.randn([settings.groups, settings.outputWidth]).normalized())
        queue = Queue(length: settings.queueLength, width: settings.outputWidth)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let own = step.index % 2
        let z = online(batch.views[own])
        let other = withoutGradients { target(batch.views[1 - own]).precise.normalized() }
        let q = predictor(z).precise
        let updated = Self.updated(groups.value, z.precise.normalized(), momentum: settings.groupMomentum)
        newest = (updated.detached(), other)
        return ["grouping": Self.grouping(q, updated, other, before: groups.value, temperature: settings.temperature)]
    }

    /// The groups after the batch: eq. 3.
    /// - Parameters:
    ///   - groups: [K, d]
    ///   - z: [n, d], of length 1.
    static func updated(_ groups: Tensor, _ z: Tensor, momentum: Double) -> Tensor {
        let nearest = nearest(z, groups)
        let sums = groups.zerosLike().indexAdded(0, nearest, z)
        let counts = nearest.counts(groups.size(0)).to(groups.dataType).unsqueezed(1)
        let moved = groups * momentum + sums / counts.clamped(1) * (1 - momentum)
        return moved.where(counts.greater(0), otherwise: groups)
    }

    /// - Parameters:
    ///   - q: [n, d], unnormalised.
    ///   - groups: [K, d] after the batch.
    ///   - other: [n, d], z′.
    ///   - before: [K, d], of which z′ chooses.
    static func grouping(_ q: Tensor, _ groups: Tensor, _ other: Tensor, before: Tensor, temperature: Double) -> Tensor {
        (q.normalized().matmul(groups.normalized().t) / temperature).crossEntropy(nearest(other, before))
    }

    private static func nearest(_ z: Tensor, _ groups: Tensor) -> Tensor {
        z.detached().matmul(groups.detached().normalized().t).argmax(1)
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        guard let newest else { return }
        self.newest = nil
        queue.add(newest.z)
        groups.set(newest.groups.normalized())
        guard (step.index + 1).isMultiple(of: settings.regroupEvery), queue.isFull else { return }
        var means = KMeans(clusters: settings.groups)
        (means.iterations, means.tolerance, means.spherical, means.seeding, means.seed) = (10, 0, true, .rows, UInt64(step.index))
        // Fails only for what is not finite, which the trainer tells.
        if let found = try? means.fit(queue.rows) { groups.set(found.centroids.normalized()) }
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public func targets(of pixels: Tensor) -> Tensor? {
        (target(pixels).normalized().matmul(groups.value.normalized().t) / settings.temperature).softmax(1)
    }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
