public import Backbones
public import Torch
public import Views

/// VICReg: variance–invariance–covariance regularisation (Bardes et al. 2022, arXiv:2105.04906, algorithm 1).
///
///     L = λ·s(Z, Z′) + μ·(v(Z) + v(Z′)) + ν·(c(Z) + c(Z′))                    (eq. 6)
///     s = mean of (Z − Z′)²        v = 1/d Σⱼ max(0, 1 − √(Var(zʲ) + ε))       (eq. 1)
///     c = 1/d Σ_{i≠j} Cov(Z)ᵢⱼ²                                                (eq. 3–4)
///
/// s is the mean over samples and features, as algorithm 1 has it (eq. 5 sums over features). The authors' code halves the variance
/// term, v(Z)/2 + v(Z′)/2, which neither eq. 6 nor algorithm 1 does, and this file does not.
public final class VICReg: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 8192
        public var outputWidth = 8192
        public var headLayers = 3
        /// λ
        public var invarianceWeight = 25.0
        /// μ
        public var varianceWeight = 25.0
        /// ν
        public var covarianceWeight = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.notNegative("invarianceWeight", invarianceWeight)
            try SettingsCheck.notNegative("varianceWeight", varianceWeight)
            try SettingsCheck.notNegative("covarianceWeight", covarianceWeight)
        }
    }

    public static let card = MethodCard(
        name: "vicreg", title: "VICReg", family: .redundancyReduction, paper: "Bardes et al. 2022, arXiv:2105.04906",
        summary: "two views' outputs are close, every feature keeps its variance, and no two features covary", needs: "a wide projector",
        hasScale: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.vicReg(size: ImageSize(imageSize))
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
        let (a, b) = (online(batch.views[0]).precise, online(batch.views[1]).precise)
        return [
            "invariance": Self.invariance(a, b) * settings.invarianceWeight,
            "variance": (Self.variance(a) + Self.variance(b)) * settings.varianceWeight,
            "covariance": (Self.covariance(a) + Self.covariance(b)) * settings.covarianceWeight,
        ]
    }

    /// s
    static func invariance(_ a: Tensor, _ b: Tensor) -> Tensor { (a - b).squared().mean() }

    /// v of one view's [n, d]; the mean over sets of rows, [sets, n, d].
    static func variance(_ z: Tensor) -> Tensor { (1 - (z.variance(-2) + 1e-4).sqrt()).relu().mean() }

    /// c of one view's [n, d]; the mean over sets of rows, [sets, n, d].
    static func covariance(_ z: Tensor) -> Tensor {
        let centred = z - z.mean(-2, keep: true)
        let covariance = fullPrecision(on: z.device) { centred.transposed().matmul(centred) / Double(z.size(-2) - 1) }
        let others = 1 - Tensor.eye(z.size(-1), z.dataType, on: z.device)
        return (covariance * others).squared().sum(-1, -2).mean() / Double(z.size(-1))
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
