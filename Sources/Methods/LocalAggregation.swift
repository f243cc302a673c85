public import Backbones
internal import Embeddings
public import Torch
public import Views

/// Local Aggregation for Unsupervised Learning of Visual Embeddings (Zhuang et al. 2019, arXiv:1903.12355).
///
///     P(A|v) = Σ_{j ∈ A} exp(vⱼ·v/τ) / Z                                                       (eq. 1–2)
///     L = −log( P(Cᵢ ∩ Bᵢ | vᵢ) / P(Bᵢ | vᵢ) )                                                 (eq. 4)
///
/// vⱼ are the vectors of a memory bank. Bᵢ, the background neighbours, are the k nearest of them; Cᵢ, the close ones, are those
/// that share i's cluster in any of H runs of k-means before the epoch (section 3.2). i itself always belongs to both, so that
/// neither is empty. In the first epochs Cᵢ is i alone: instance discrimination among neighbours, where the paper begins with
/// plain instance discrimination.
///
/// Deviation: the bank begins with what the untrained network says of each image, and not with random vectors, which for a whole
/// epoch would be what an image has to resemble.
public final class LocalAggregation: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var outputWidth = 128
        /// k
        public var neighbours = 4096
        /// m, of each clustering.
        public var clusters = 30000
        /// H
        public var clusterings = 3
        public var clusterIterations = 10
        /// τ
        public var temperature = 0.07
        /// Of the old vector when the bank is updated.
        public var bankMomentum = 0.5
        /// Epochs before the first clustering.
        public var instanceEpochs = 10

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("neighbours", neighbours)
            try SettingsCheck.several("clusters", clusters)
            try SettingsCheck.positive("clusterings", clusterings)
            try SettingsCheck.positive("clusterIterations", clusterIterations)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("bankMomentum", bankMomentum)
            try SettingsCheck.notNegative("instanceEpochs", instanceEpochs)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.clusters = FewImages.groups(clusters, count)
            copy.neighbours = FewImages.groups(neighbours, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "local_aggregation", title: "Local Aggregation", family: .clustering, paper: "Zhuang et al. 2019, arXiv:1903.12355",
        summary: "draws an image to those of its clusters, away from its other neighbours, in a memory bank",
        needs: "a vector for every image", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.instanceDiscrimination(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let bank: MemoryBank
    /// [H, samples] int64; −1 before the first clustering.
    let assignments: Buffer
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        try SettingsCheck.among("clusters", settings.clusters, context.sampleCount)
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.outputWidth]))
        bank = MemoryBank(samples: context.sampleCount, width: settings.outputWidth)
        assignments = Buffer(.full([settings.clusterings, context.sampleCount], -1, .int64))
        self.settings = settings
    }

    public func prepareRun(_ services: any RunServices) throws {
        bank.entries.set(try services.features { online($0) }.precise.normalized())
    }

    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        guard epoch >= settings.instanceEpochs else { return }
        for run in 0..<settings.clusterings {
            var means = KMeans(clusters: settings.clusters)
            (means.iterations, means.tolerance, means.spherical, means.seeding) = (settings.clusterIterations, 0, true, .rows)
            means.seed = UInt64(epoch * settings.clusterings + run)
            let found = try means.fit(bank.entries.value).assignments
            withoutGradients { assignments.value[run].copyInPlace(found) }
        }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let v = online(batch.views[0]).precise.normalized()
        newest = v.detached()
        let own = Tensor.arange(bank.entries.value.size(0), on: v.device).equal(batch.indices.unsqueezed(1))
        return [
            "aggregation": Self.aggregation(
                v, bank.entries.value, own: own, close: Self.close(assignments.value, batch.indices), neighbours: settings.neighbours,
                temperature: settings.temperature)
        ]
    }

    /// Which samples share a cluster with each of some, in any clustering: [n, samples] bool.
    /// - Parameter assignments: [H, samples]; −1 is no cluster.
    static func close(_ assignments: Tensor, _ indices: Tensor) -> Tensor {
        let clusters = assignments.rows(indices, dimension: 1).unsqueezed(2)
        let same = clusters.equal(assignments.unsqueezed(1)).to(.int64) * clusters.greater(-1).to(.int64)
        return same.sum(0).greater(0)
    }

    /// - Parameters:
    ///   - v: [n, d] unit vectors.
    ///   - bank: [samples, d] unit vectors.
    ///   - own: [n, samples] bool, which sample each row is.
    ///   - close: [n, samples] bool, C.
    static func aggregation(_ v: Tensor, _ bank: Tensor, own: Tensor, close: Tensor, neighbours: Int, temperature: Double) -> Tensor {
        let scores = v.matmul(bank.t) / temperature
        let least = scores.detached().top(Swift.min(neighbours, bank.size(0)), dimension: 1).values.min(1, keep: true)
        let (mine, background) = (own.to(.int64), least.greater(scores.detached()).not.to(.int64))
        let outside = (background + mine).equal(0)
        let far = (background * close.to(.int64) + mine).equal(0)
        return (scores.filled(-.infinity, where: outside).logSumExp(1) - scores.filled(-.infinity, where: far).logSumExp(1)).mean()
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { bank.update(batch.indices, towards: newest, momentum: settings.bankMomentum) }
        newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
