public import Backbones
public import Torch
public import Views

/// VIbCReg: variance–invariance–better-covariance regularisation (Lee and Aune 2021, arXiv:2109.00783).
///
///     L = λ·s(Z, Z′) + μ·(v(Z) + v(Z′)) + ν·(c(Z) + c(Z′))      s and v are VICReg's
///     c = 1/d² Σ_{i≠j} (z̃ᵢ · z̃ⱼ)²,   z̃ʲ a centred feature at length 1 over the batch: correlations instead of covariances
///
/// The projector ends in iterative normalisation (Huang et al. 2019, arXiv:1904.03441), a whitening by Newton's iterations
/// over groups of features.
public final class VIbCReg: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 2048
        /// λ
        public var invarianceWeight = 25.0
        /// μ
        public var varianceWeight = 25.0
        /// ν
        public var covarianceWeight = 200.0
        /// Features that are whitened together; 0 for no whitening.
        public var whiteningGroup = 64
        public var whiteningIterations = 5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.notNegative("invarianceWeight", invarianceWeight)
            try SettingsCheck.notNegative("varianceWeight", varianceWeight)
            try SettingsCheck.notNegative("covarianceWeight", covarianceWeight)
            try SettingsCheck.notNegative("whiteningGroup", whiteningGroup)
            try SettingsCheck.require(
                whiteningGroup == 0 || outputWidth.isMultiple(of: whiteningGroup),
                "method.whiteningGroup (\(whiteningGroup)) must divide method.outputWidth (\(outputWidth))")
            try SettingsCheck.require(
                (1...20).contains(whiteningIterations), "method.whiteningIterations must be 1 to 20, not \(whiteningIterations)")
        }
    }

    public static let card = MethodCard(
        name: "vibcreg", title: "VIbCReg", family: .redundancyReduction, paper: "Lee and Aune 2021, arXiv:2109.00783",
        summary: "VICReg with correlations for covariances, of outputs that are nearly whitened", needs: "a wide projector", hasScale: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.vicReg(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.hiddenWidth, settings.outputWidth]))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = batch.views.prefix(2).map { view -> Tensor in
            let z = online(view).precise
            guard settings.whiteningGroup > 0 else { return z }
            return fullPrecision(on: z.device) {
                Self.whitened(z, group: settings.whiteningGroup, iterations: settings.whiteningIterations)
            }
        }
        return [
            "invariance": VICReg.invariance(z[0], z[1]) * settings.invarianceWeight,
            "variance": (VICReg.variance(z[0]) + VICReg.variance(z[1])) * settings.varianceWeight,
            "covariance": (Self.correlation(z[0]) + Self.correlation(z[1])) * settings.covarianceWeight,
        ]
    }

    /// c of one view's [n, d].
    static func correlation(_ z: Tensor) -> Tensor {
        let unit = (z - z.mean(0)).normalized(0)
        return fullPrecision(on: z.device) { unit.t.matmul(unit).withDiagonal(0).squared().mean() }
    }

    /// Iterative normalisation: Z·Σ^(−½) for each group of features, Σ^(−½) by `iterations` of P ← ½(3P − P³Σ/tr Σ).
    static func whitened(_ z: Tensor, group: Int, iterations: Int, epsilon: Double = 1e-5) -> Tensor {
        let (n, d) = (z.size(0), z.size(1))
        // [groups, group, n]
        let x = (z - z.mean(0)).t.reshaped(d / group, group, n)
        let identity = Tensor.eye(group, z.dataType, on: z.device)
        let covariance = x.matmul(x.transposed()) / Double(n) + identity * epsilon
        let trace = (covariance * identity).sum(-1, -2, keep: true)
        let scaled = covariance / trace
        var p = identity.expanded(covariance.shape)
        for _ in 0..<iterations { p = 1.5 * p - 0.5 * p.matmul(p).matmul(p).matmul(scaled) }
        return (p / trace.sqrt()).matmul(x).reshaped(d, n).t
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    /// Before the whitening, which would hide a collapse.
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}

extension Tensor {
    /// In float32 at least, for sums that lower precision cannot hold.
    var precise: Tensor { dataType == .float64 ? self : to(.float32) }
}
