public import Backbones
internal import Embeddings
public import Torch
public import Views

/// DeepCluster v2 (Caron et al. 2020, the SwAV paper, arXiv:2006.09882, appendix C; DeepCluster: Caron et al. 2018,
/// arXiv:1807.05520).
///
///     before each epoch:  C, y ← spherical k-means of the stored z of all samples, for every set of prototypes
///     L = mean over sets and views of cross-entropy( zᵀC/τ, y )
///
/// z have length 1 and are stored as they are computed during the epoch; only at the beginning a pass over the images makes
/// them. Centroids are the prototypes, so that no classifier has to be begun anew, as version 1's was.
public final class DeepClusterV2: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 128
        /// K, of each set.
        public var prototypes = 3000
        public var prototypeSets = 3
        /// τ
        public var temperature = 0.1
        public var clusterIterations = 10
        /// Small views beside the two large ones, whose z are stored.
        public var smallViews = 6

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("prototypes", prototypes)
            try SettingsCheck.positive("prototypeSets", prototypeSets)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.positive("clusterIterations", clusterIterations)
            try SettingsCheck.notNegative("smallViews", smallViews)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.prototypes = FewImages.groups(prototypes, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "deepcluster_v2", title: "DeepCluster v2", family: .clustering, paper: "Caron et al. 2020, arXiv:2006.09882",
        summary: "predicts the clusters in which k-means puts the images before every epoch", needs: "two vectors for every image")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.multiCrop(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews)
    }

    let online: ProjectedEncoder
    /// Centroids, without gradient.
    let prototypes: [Prototypes]
    /// The z of each large view.
    let banks: [MemoryBank]
    /// y, [sets, samples] int64
    let assignments: Buffer
    private let settings: Settings
    private var newest: [Tensor] = []

    public init(_ settings: Settings, _ context: MethodContext) throws {
        try SettingsCheck.among("prototypes", settings.prototypes, context.sampleCount)
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        prototypes = (0..<settings.prototypeSets).map { _ in Prototypes(settings.prototypes, width: settings.outputWidth) }
        banks = (0..<2).map { _ in MemoryBank(samples: context.sampleCount, width: settings.outputWidth) }
        assignments = Buffer(.zeros([settings.prototypeSets, context.sampleCount], .int64))
        self.settings = settings
        super.init()
        for set in prototypes {
            set.normalize()
            set.setTrainable(false)
        }
    }

    public func prepareRun(_ services: any RunServices) throws {
        let z = try services.features { online($0) }.precise.normalized()
        for bank in banks { bank.entries.set(z) }
    }

    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        for (place, set) in prototypes.enumerated() {
            var means = KMeans(clusters: settings.prototypes)
            (means.iterations, means.tolerance, means.spherical, means.seeding) = (settings.clusterIterations, 0, true, .rows)
            means.seed = UInt64(epoch * prototypes.count + place)
            // The large views take turns, as in the authors' code.
            let found = try means.fit(banks[place % banks.count].entries.value)
            withoutGradients {
                set.weight.value.copyInPlace(found.centroids)
                assignments.value[place].copyInPlace(found.assignments)
            }
        }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = online.together(batch.views).map { $0.precise.normalized() }
        newest = z.prefix(2).map { $0.detached() }
        let targets = assignments.value.rows(batch.indices, dimension: 1)
        return ["cross_entropy": Self.prediction(z, prototypes.map(\.weight.value), targets, temperature: settings.temperature)]
    }

    /// - Parameters:
    ///   - z: every view's [n, d], of length 1.
    ///   - centroids: of each set, [K, d].
    ///   - targets: [sets, n] int64.
    static func prediction(_ z: [Tensor], _ centroids: [Tensor], _ targets: Tensor, temperature: Double) -> Tensor {
        let all = Tensor.concatenated(z)
        let terms = centroids.enumerated().map { set, centroids in
            (all.matmul(centroids.t) / temperature).crossEntropy(.concatenated(Array(repeating: targets[set], count: z.count)))
        }
        return Tensor.stacked(terms).mean()
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        for (bank, z) in zip(banks, newest) { bank.update(batch.indices, towards: z, momentum: 0) }
        newest = []
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public func targets(of pixels: Tensor) -> Tensor? {
        (prototypes[0](online(pixels).normalized()) / settings.temperature).softmax(1)
    }
}
