public import Backbones
public import Torch
public import Views

/// TiCo: Transformation Invariance and Covariance Contrast (Zhu et al. 2022, arXiv:2206.10698).
///
///     Cₜ = β·Cₜ₋₁ + (1 − β)·1/n Σ z zᵀ                               z unit vectors, C₀ = 0
///     L = 1 − mean of z·z′  +  ρ·mean of zᵀ Cₜ z                     z′ the other view's, by the momentum encoder, without gradient
///
/// The gradient goes through this batch's share of Cₜ. The covariance acts as a queue of all negatives in the past.
public final class TiCo: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 4096
        public var outputWidth = 256
        /// ρ
        public var covarianceWeight = 20.0
        /// β
        public var covarianceDecay = 0.9
        public var targetDecay = Schedule.cosine(from: 0.99, to: 1)

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.notNegative("covarianceWeight", covarianceWeight)
            try SettingsCheck.fraction("covarianceDecay", covarianceDecay)
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }
    }

    public static let card = MethodCard(
        name: "tico", title: "TiCo", family: .redundancyReduction, paper: "Zhu et al. 2022, arXiv:2206.10698",
        summary: "views agree with a moving average's, away from directions in which the outputs of the past lie", needs: "a second network"
    )

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let target: ProjectedEncoder
    /// C, [d, d]
    let covariance: Buffer
    private let settings: Settings
    private var newCovariance: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            return ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        }
        online = try branch()
        target = try branch()
        covariance = Buffer(.zeros([settings.outputWidth, settings.outputWidth]))
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let other = withoutGradients { target(batch.views[1]) }
        let parts = Self.parts(
            online(batch.views[0]), other, covariance.value, decay: settings.covarianceDecay, weight: settings.covarianceWeight)
        newCovariance = parts.newCovariance.detached()
        return ["invariance": parts.invariance, "covariance": parts.contrast]
    }

    /// - Parameters:
    ///   - z, other: [n, d], unnormalised; the second without gradient.
    ///   - covariance: Cₜ₋₁
    static func parts(
        _ z: Tensor, _ other: Tensor, _ covariance: Tensor, decay: Double, weight: Double
    ) -> (invariance: Tensor, contrast: Tensor, newCovariance: Tensor) {
        let (a, b) = (z.precise.normalized(), other.precise.detached().normalized())
        let new = covariance * decay + a.t.matmul(a) * ((1 - decay) / Double(z.size(0)))
        return (1 - (a * b).sum(1).mean(), (a.matmul(new) * a).sum(1).mean() * weight, new)
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newCovariance { covariance.set(newCovariance) }
        newCovariance = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
