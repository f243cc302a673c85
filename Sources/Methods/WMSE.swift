public import Backbones
public import Torch
public import Views

/// W-MSE: Whitening for Self-Supervised Representation Learning (Ermolov et al. 2021, arXiv:2007.06346).
///
///     z = L⁻¹(v − μ),   Cov(v) = L·Lᵀ over a sub-batch (Cholesky)                (eq. 3–4)
///     L = mean over pairs of views of ‖ z̄ᵢ − z̄ⱼ ‖² = 2 − 2·cos(zᵢ, zⱼ)            (eq. 5, the normalised distance)
///
/// Whitened outputs cannot be constant, so that neither negatives nor a second network are needed. Each view is whitened
/// by itself, in sub-batches that are drawn anew for every batch.
public final class WMSE: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 1024
        public var outputWidth = 64
        /// Views of an image: 2 and 4 in the paper.
        public var viewCount = 2
        /// Samples of a sub-batch, at least; the paper takes twice the output width.
        public var whiteningSize = 128
        /// ε of (1 − ε)·Cov + ε·I, 0 in the paper.
        public var shrinkage = 0.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.require((2...8).contains(viewCount), "method.viewCount must be 2 to 8, not \(viewCount)")
            try SettingsCheck.require(
                whiteningSize > outputWidth,
                "method.whiteningSize (\(whiteningSize)) must be above method.outputWidth (\(outputWidth)): fewer samples have no full covariance"
            )
            try SettingsCheck.fraction("shrinkage", shrinkage)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.whiteningSize = min(whiteningSize, max(4, batchSize))
            copy.outputWidth = min(outputWidth, copy.whiteningSize / 2)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "w_mse", title: "W-MSE", family: .redundancyReduction, paper: "Ermolov et al. 2021, arXiv:2007.06346",
        summary: "views of an image coincide after the batch was whitened", needs: "batches above twice the output width")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.wMSE(size: ImageSize(imageSize), copies: settings.viewCount)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        self.settings = settings
    }

    /// A whole sub-batch.
    public var leastBatch: Int { settings.whiteningSize }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let order = Tensor.randomPermutation(batch.count).to(batch.indices.device)
        let parts = Swift.max(1, batch.count / settings.whiteningSize)
        let outputs = online.together(batch.views)
        let views = fullPrecision(on: order.device) {
            outputs.map { v in
                Tensor.concatenated(v.precise.rows(order).chunks(parts).map { Self.whitened($0, shrinkage: settings.shrinkage) })
            }
        }
        return ["distance": Self.distance(views)]
    }

    /// [m, d] to mean 0 and covariance I. In float64 where the device has it: features that are still all alike have a full covariance
    /// there and none in float32. NaN where there is none.
    static func whitened(_ v: Tensor, shrinkage: Double) -> Tensor {
        let exact = v.device == .mps ? v : v.to(.float64)
        let centred = exact - exact.mean(0)
        let covariance = centred.t.matmul(centred) / Double(v.size(0) - 1)
        let shrunk = covariance * (1 - shrinkage) + Tensor.eye(v.size(1), exact.dataType, on: v.device) * shrinkage
        return shrunk.cholesky().solveTriangular(centred.t, upper: false).t.to(v.dataType)
    }

    /// The mean over all pairs of views.
    static func distance(_ views: [Tensor]) -> Tensor {
        var pairs: [Tensor] = []
        for (i, a) in views.enumerated() {
            for b in views[(i + 1)...] { pairs.append(RegressionLoss.normalizedSquaredDistance(a, b)) }
        }
        return Tensor.stacked(pairs).mean()
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    /// Before the whitening, which would hide a collapse.
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
