public import Backbones
public import Torch
public import Views

/// LeJEPA, with sketched isotropic Gaussian regularisation (Balestriero and LeCun 2025, arXiv:2511.08544).
///
///     L = (1 − λ)·mean over views of ‖ μ − z_v ‖² / d  +  λ·SIGReg(z)        μ the mean of the large views' z
///     SIGReg = mean over random directions a of the Epps–Pulley statistic of aᵀz, per view:
///              n ∫ | 1/n Σ exp(i·t·aᵀz) − exp(−t²/2) |² exp(−t²/2) dt         over |t| ≤ 3, by the trapezoid rule
///
/// Slices, knots and weights are those of the authors' minimal example. One weight, no stop-gradient, no teacher: of all
/// distributions the standard normal is the one that SIGReg leaves alone.
public final class LeJEPA: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 16
        public var headLayers = 3
        /// λ
        public var gaussianWeight = 0.02
        /// Random directions, drawn anew at every step.
        public var directions = 256
        /// Points of the integral over 0 … 3.
        public var knots = 17
        /// Small views beside the two large ones.
        public var smallViews = 6

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.fraction("gaussianWeight", gaussianWeight)
            try SettingsCheck.positive("directions", directions)
            try SettingsCheck.require(knots >= 3, "method.knots must be at least 3, not \(knots)")
            try SettingsCheck.notNegative("smallViews", smallViews)
        }
    }

    public static let card = MethodCard(
        name: "lejepa", title: "LeJEPA", family: .redundancyReduction, paper: "Balestriero and LeCun 2025, arXiv:2511.08544",
        summary: "views predict their common mean while every projection of the outputs stays standard normal", hasScale: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.dino(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews,
            largeScale: 0.3...1, smallScale: 0.05...0.3)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let hidden = Array(repeating: settings.hiddenWidth, count: settings.headLayers - 1)
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth] + hidden + [settings.outputWidth]))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = Tensor.stacked(online.together(batch.views).map(\.precise))
        let directions = Tensor.randn([z.size(2), settings.directions]).to(z.device).normalized(0)
        return [
            "prediction": Self.prediction(z) * (1 - settings.gaussianWeight),
            "gaussian": Self.gaussian(z, directions, knots: settings.knots) * settings.gaussianWeight,
        ]
    }

    /// The mean square distance to the mean of the first two views.
    /// - Parameter z: [views, n, d]
    static func prediction(_ z: Tensor) -> Tensor { (z[0..<2].mean(0, keep: true) - z).squared().mean() }

    /// SIGReg.
    /// - Parameters:
    ///   - z: [views, n, d]
    ///   - directions: [d, m] unit columns.
    static func gaussian(_ z: Tensor, _ directions: Tensor, knots: Int) -> Tensor {
        let width = 3 / Double(knots - 1)
        let t = Tensor.arange(knots, z.dataType, on: z.device) * width
        let normal = (t.squared() * -0.5).exp()
        // The integrand is even: twice the half that is computed.
        var weights = [Double](repeating: 2 * width, count: knots)
        (weights[0], weights[knots - 1]) = (width, width)
        // [views, n, m, knots]
        let phase = fullPrecision(on: z.device) { z.matmul(directions) }.unsqueezed(-1) * t
        let error = (phase.cos().mean(1) - normal).squared() + phase.sin().mean(1).squared()
        return (error * (Tensor(weights).to(z.dataType).to(z.device) * normal)).sum(-1).mean() * Double(z.size(1))
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
