public import Backbones
internal import Embeddings
public import Torch
public import Views

/// DeepCluster: Deep Clustering for Unsupervised Learning of Visual Features (Caron et al. 2018, arXiv:1807.05520).
///
///     before each epoch:  y ← k-means of the features of all images, reduced by PCA, whitened, of length 1
///                         W begun anew, images drawn so that every cluster comes as often as any other   (section 3.3)
///     L = cross-entropy( W·f(x), y )                                                                     (eq. 1)
///
/// Uniform sampling keeps a few large clusters from being all that is learned; a cluster that becomes empty is given the image
/// farthest from its centroid (the paper splits a full one). The encoder sees colours: the paper's Sobel filter may be put into
/// the views.
public final class DeepCluster: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// k
        public var clusters = 10000
        /// Dimensions that PCA keeps, at most.
        public var pcaWidth = 256
        public var clusterIterations = 20
        /// Multiplies the learning rate of W, which has one epoch to learn: 1 in the paper, more where epochs are short.
        public var classifierRateScale = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.several("clusters", clusters)
            try SettingsCheck.positive("pcaWidth", pcaWidth)
            try SettingsCheck.positive("clusterIterations", clusterIterations)
            try SettingsCheck.positive("classifierRateScale", classifierRateScale)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.clusters = FewImages.groups(clusters, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "deepcluster", title: "DeepCluster", family: .clustering, paper: "Caron et al. 2018, arXiv:1807.05520",
        summary: "learns to tell the clusters that k-means finds in its own features before every epoch",
        needs: "a pass over the images at every epoch", leastBatch: 2,
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    /// W
    let classifier: Linear
    /// y, [samples] int64
    let assignments: Buffer
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        try SettingsCheck.among("clusters", settings.clusters, context.sampleCount)
        encoder = try context.makeEncoder()
        classifier = Linear(encoder.outputWidth, settings.clusters)
        assignments = Buffer(.zeros([context.sampleCount], .int64))
        self.settings = settings
    }

    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        let h = try services.features { encoder($0) }.precise
        var means = KMeans(clusters: settings.clusters)
        (means.iterations, means.tolerance, means.seeding, means.seed) = (settings.clusterIterations, 0, .rows, UInt64(epoch))
        let found = try means.fit(try Self.whitened(h, width: settings.pcaWidth))
        assignments.set(found.assignments)
        withoutGradients {
            classifier.weight.value.normalInPlace(standardDeviation: 0.01)
            classifier.bias?.value.zeroInPlace()
        }
        services.resetOptimizerState(of: classifier)
        // From the generator that is saved with the run, so that it is the run's own.
        let seed = UInt64(Tensor.rand([1], .float64).item * 0x1p53)
        services.setOrder(Self.evenOrder(of: found.assignments.ints, seed: seed))
    }

    /// PCA, whitening and length 1.
    static func whitened(_ h: Tensor, width: Int) throws -> Tensor {
        let count = Swift.min(width, h.size(1), h.size(0) - 1)
        return try PCA.fit(h, count: count).transform(h, whitened: true).normalized()
    }

    /// As many samples as there are, every cluster that has any equally often; of small clusters samples come again.
    static func evenOrder(of assignments: [Int], seed: UInt64) -> [Int] {
        var members: [Int: [Int]] = [:]
        for (sample, cluster) in assignments.enumerated() { members[cluster, default: []].append(sample) }
        var random = SplitMix64(seed: seed)
        let each = assignments.count / members.count + 1
        var order = members.keys.sorted().flatMap { cluster -> [Int] in
            let own = members[cluster]!
            return own.count >= each
                ? random.distinct(each, below: own.count).map { own[$0] } : (0..<each).map { _ in own[random.below(own.count)] }
        }
        random.shuffle(&order)
        return Array(order.prefix(assignments.count))
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let logits = classifier(encoder(batch.views[0])).precise
        let targets = assignments.value.rows(batch.indices)
        let losses: Losses = ["cross_entropy": logits.crossEntropy(targets)]
        return losses.measuring("cluster_accuracy", logits.argmax(1).equal(targets).to(.float32).mean())
    }

    public var phases: [Phase] {
        [Phase("main", [Phase.Part(encoder), Phase.Part(classifier, learningRateScale: settings.classifierRateScale)])]
    }
}
