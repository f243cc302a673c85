public import Backbones
public import Torch
public import Views

/// Barlow Twins (Zbontar et al. 2021, arXiv:2103.03230).
///
///     C = Z̄ᴬᵀ Z̄ᴮ / n,   Z̄ each feature at mean 0 and variance 1 over the batch    (eq. 2)
///     L = Σᵢ (1 − Cᵢᵢ)² + λ Σᵢ Σ_{j≠i} Cᵢⱼ²                                       (eq. 1)
///
/// The two views go through the network one after the other, each with its own batch statistics.
public final class BarlowTwins: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 8192
        public var outputWidth = 8192
        public var headLayers = 3
        /// λ
        public var offDiagonalWeight = 0.0051
        /// Multiplies the loss, which is large: 0.024 in the authors' code, 0.1 in solo-learn.
        public var lossScale = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.notNegative("offDiagonalWeight", offDiagonalWeight)
            try SettingsCheck.positive("lossScale", lossScale)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            // The sum over a matrix is large beside what SGD expects: the authors' factor, and for fewer images solo-learn's widths.
            copy.lossScale = 0.024
            if count < 100_000 { (copy.hiddenWidth, copy.outputWidth) = (2048, 2048) }
            return copy
        }
    }

    public static let card = MethodCard(
        name: "barlow_twins", title: "Barlow Twins", family: .redundancyReduction, paper: "Zbontar et al. 2021, arXiv:2103.03230",
        summary: "each output feature agrees between two views of an image and correlates with no other feature", needs: "a wide projector")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let hidden = Array(repeating: settings.hiddenWidth, count: settings.headLayers - 1)
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth] + hidden + [settings.outputWidth], outputBias: false))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let parts = Self.crossCorrelation(online(batch.views[0]), online(batch.views[1]), settings.offDiagonalWeight)
        return ["invariance": parts.invariance * settings.lossScale, "redundancy": parts.redundancy * settings.lossScale]
    }

    /// The two sums of eq. 1, the second times λ.
    /// - Parameters a, b: [n, d], the views' projections.
    static func crossCorrelation(_ a: Tensor, _ b: Tensor, _ lambda: Double) -> (invariance: Tensor, redundancy: Tensor) {
        let c = fullPrecision(on: a.device) { standardized(a.precise).t.matmul(standardized(b.precise)) / Double(a.size(0)) }
        return ((c.diagonal - 1).squared().sum(), c.withDiagonal(0).squared().sum() * lambda)
    }

    /// As a batch-norm layer without weights does it: biased variance, ε = 1e-5.
    private static func standardized(_ z: Tensor) -> Tensor {
        (z - z.mean(0)) / (z.variance(0, correction: 0) + 1e-5).sqrt()
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
