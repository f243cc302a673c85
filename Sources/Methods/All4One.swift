public import Backbones
internal import Foundation
public import Torch
public import Views

/// All4One (Estepa et al. 2023, arXiv:2303.09417): neighbours, centroids that attention makes of neighbours, and features.
///
///     L = ½·L_neighbour + ½·L_centroid + ½·L_feature
///     L_neighbour = InfoNCE(first neighbour of z′ᵥ, p_w)          as in NNCLR, symmetric
///     L_centroid  = InfoNCE(Ψ(neighbours of z′ᵥ), Ψ(p̃_w and the neighbours of z′_w but the last)), symmetric
///     L_feature   = 5·√(mean (1 − Cᵢᵢ)²) + 5·√(mean of C_ij², i ≠ j),   C the correlations of z′ᵥ's and z_w's features
///
/// z′ are of the moving average, p and p̃ are two predictors' outputs, Ψ a transformer of which the first output counts. The terms'
/// weights and the centroids' temperature are those of the authors' code, where Ψ learns at a rate of its own; here at the others'.
public final class All4One: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 256
        /// The predictors' hidden layer.
        public var predictorWidth = 4096
        /// Past z′.
        public var queueLength = 98304
        /// k
        public var neighbours = 5
        public var transformerLayers = 3
        public var heads = 8
        public var dropout = 0.1
        /// τ of the neighbours.
        public var temperature = 0.2
        /// τ of the centroids.
        public var centroidTemperature = 0.1
        public var targetDecay = Schedule.cosine(from: 0.99, to: 1)

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("predictorWidth", predictorWidth)
            try SettingsCheck.positive("neighbours", neighbours)
            try SettingsCheck.require(
                queueLength >= neighbours, "method.queueLength must be at least method.neighbours (\(neighbours)), not \(queueLength)")
            try SettingsCheck.layers("transformerLayers", transformerLayers)
            try SettingsCheck.require(
                heads > 0 && outputWidth.isMultiple(of: heads), "method.heads (\(heads)) must divide method.outputWidth (\(outputWidth))")
            try SettingsCheck.require((0..<1).contains(dropout), "method.dropout must be at least 0 and below 1, not \(dropout)")
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.positive("centroidTemperature", centroidTemperature)
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.queueLength = max(neighbours, FewImages.queue(queueLength, count))
            return copy
        }
    }

    public static let card = MethodCard(
        name: "all4one", title: "All4One", family: .contrastive, paper: "Estepa et al. 2023, arXiv:2303.09417",
        summary: "NNCLR's neighbours, what attention makes of several of them, and uncorrelated features",
        needs: "a second network, a queue")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let target: ProjectedEncoder
    /// p
    let predictor: MLP
    /// p̃
    let centroidPredictor: MLP
    /// Ψ
    let transformer: NeighbourTransformer
    let queue: Queue
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            let widths = [encoder.outputWidth, settings.hiddenWidth, settings.hiddenWidth, settings.outputWidth]
            return ProjectedEncoder(encoder, MLP(widths, outputBatchNorm: true))
        }
        online = try branch()
        target = try branch()
        predictor = MLP([settings.outputWidth, settings.predictorWidth, settings.outputWidth])
        centroidPredictor = MLP([settings.outputWidth, settings.predictorWidth, settings.outputWidth])
        transformer = NeighbourTransformer(
            width: settings.outputWidth, heads: settings.heads, layers: settings.transformerLayers, dropout: settings.dropout)
        queue = Queue(length: settings.queueLength, width: settings.outputWidth)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = batch.views.prefix(2).map { online($0).precise }
        let past = withoutGradients { batch.views.prefix(2).map { target($0).precise.normalized() } }
        newest = past[0]
        // [n, k, d], nearest first.
        let near = withoutGradients { past.map { Self.neighbours($0, in: queue.rows, settings.neighbours) } }
        let p = z.map { predictor($0) }
        let centroids = near.map { transformer($0) }
        let shifted = zip(z, near).map { z, near in
            transformer(Self.shifted(near, first: centroidPredictor(z).precise))
        }
        func symmetric(_ a: [Tensor], _ b: [Tensor], _ temperature: Double) -> Tensor {
            (ContrastiveLoss.infoNCE(a[0], b[1], temperature: temperature) + ContrastiveLoss.infoNCE(a[1], b[0], temperature: temperature))
                / 2
        }
        return [
            "neighbour": symmetric(near.map { $0.selected(1, 0) }, p, settings.temperature) * 0.5,
            "centroid": symmetric(centroids, shifted, settings.centroidTemperature) * 0.5,
            "feature": Self.featureLoss(z, past) * 0.5,
        ]
    }

    /// The k nearest rows of a queue, nearest first: [n, d] unit vectors to [n, k, d].
    static func neighbours(_ z: Tensor, in queue: Tensor, _ k: Int) -> Tensor {
        let indices = z.matmul(queue.t).top(k, dimension: 1).indices
        return queue.rows(indices.flattened()).reshaped(z.size(0), k, queue.size(1))
    }

    /// The sequence with a vector before it and its last left out.
    static func shifted(_ sequence: Tensor, first: Tensor) -> Tensor {
        .concatenated([first.unsqueezed(1), sequence.narrowed(1, from: 0, count: sequence.size(1) - 1)], dimension: 1)
    }

    /// L_feature, of both directions.
    /// - Parameters:
    ///   - z: both views' [n, d].
    ///   - past: z′, without gradient.
    static func featureLoss(_ z: [Tensor], _ past: [Tensor]) -> Tensor {
        let correlations = [(0, 1), (1, 0)].map { from, to in
            fullPrecision(on: z[0].device) { past[from].normalized(0).t.matmul(z[to].normalized(0)) }
        }
        let d = Double(z[0].size(1))
        let own = correlations.map { ($0.diagonal - 1).squared().mean() }
        let others = correlations.map { $0.withDiagonal(0).squared().sum() / Swift.max(d * (d - 1), 1) }
        // √ has no gradient at 0.
        func root(_ parts: [Tensor]) -> Tensor { ((parts[0] + parts[1]) / 2 + 1e-12).sqrt() }
        return (root(own) + root(others)) * 5
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { queue.add(newest) }
        newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}

/// A transformer's encoder (Vaswani et al. 2017, arXiv:1706.03762) on a few vectors in order, of which the first output counts.
final class NeighbourTransformer: Module {
    let layers: [Block]
    private let width: Int

    init(width: Int, heads: Int, layers: Int, dropout: Double) {
        self.layers = (0..<layers).map { _ in Block(width, heads, dropout) }
        self.width = width
    }

    /// [n, k, d] to [n, d].
    func callAsFunction(_ x: Tensor) -> Tensor {
        let positions = Self.positions(x.size(1), width: width).to(x.dataType).to(x.device)
        return layers.reduce(x + positions) { $1($0) }.selected(1, 0)
    }

    /// Sines and cosines (section 3.5): [k, d].
    static func positions(_ count: Int, width: Int) -> Tensor {
        let values = (0..<count).flatMap { place in
            (0..<width).map { i -> Double in
                let angle = Double(place) / Foundation.pow(10000, Double(i - i % 2) / Double(width))
                return i % 2 == 0 ? Foundation.sin(angle) : Foundation.cos(angle)
            }
        }
        return Tensor(values, [count, width])
    }

    /// Attention and two linear layers, each with a shortcut and a layer normalisation behind it.
    final class Block: Layer {
        /// Queries, keys and values.
        let input: Linear
        let output: Linear
        let norm1: LayerNorm
        let linear1: Linear
        let linear2: Linear
        let norm2: LayerNorm
        private let heads: Int
        private let dropout: Double

        init(_ width: Int, _ heads: Int, _ dropout: Double) {
            input = Linear(width, 3 * width)
            output = Linear(width, width)
            norm1 = LayerNorm(width)
            linear1 = Linear(width, 2 * width)
            linear2 = Linear(2 * width, width)
            norm2 = LayerNorm(width)
            self.heads = heads
            self.dropout = dropout
        }

        override func callAsFunction(_ x: Tensor) -> Tensor {
            let (n, k, d) = (x.size(0), x.size(1), x.size(2))
            let parts = input(x).reshaped(n, k, 3, heads, d / heads).permuted(2, 0, 3, 1, 4)
            let scores = parts[0].matmul(parts[1].transposed()) / Foundation.sqrt(Double(d / heads))
            let mixed = scores.softmax().dropout(dropout, training: isTraining).matmul(parts[2])
            let attended = output(mixed.transposed(1, 2).reshaped(n, k, d)).dropout(dropout, training: isTraining)
            let y = norm1(x + attended)
            let hidden = linear1(y).relu().dropout(dropout, training: isTraining)
            return norm2(y + linear2(hidden).dropout(dropout, training: isTraining))
        }
    }
}
