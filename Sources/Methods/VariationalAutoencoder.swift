public import Backbones
public import Torch
public import Views

/// Variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114).
///
///     −ELBO = ‖x − x̂(z)‖² / 2s²  −  β·½ Σ (1 + log σ² − μ² − σ²),    z = μ + σ·ε                   (eq. 10, appendix B)
///
/// μ and log σ² are linear in the representation, p(x|z) is normal around the decoder's image with variance s², β is 1 (Higgins et al.
/// 2017 have more). Counted per value of an image. The second term keeps codes near the standard normal, from which images can then be
/// drawn.
public final class VariationalAutoencoder: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of z.
        public var outputWidth = 128
        /// s², of normalised values.
        public var variance = 0.1
        public var beta = 1.0
        public var decoderWidth = 256

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("variance", variance)
            try SettingsCheck.notNegative("beta", beta)
            try SettingsCheck.positive("decoderWidth", decoderWidth)
        }
    }

    public static let card = MethodCard(
        name: "vae", title: "Variational autoencoder", family: .generative, paper: "Kingma and Welling 2014, arXiv:1312.6114",
        summary: "reconstructs an image from a random code that stays near the standard normal", leastBatch: 1, hasPositivePairs: false,
        remedy: "lower method.variance, so that the divergence does not win, or the learning rate")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    public let encoder: Encoder
    /// To μ and log σ².
    let posterior: Linear
    let decoder: VectorDecoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        posterior = Linear(encoder.outputWidth, 2 * settings.outputWidth)
        decoder = VectorDecoder(settings.outputWidth, to: context.imageSize, width: settings.decoderWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        var parts = posterior(encoder(pixels)).precise.chunks(2, dimension: 1)
        // Far beyond any variance that is of use, and within what float32 can raise to a power.
        parts[1] = parts[1].clamped(-20, 20)
        let noise = Tensor.randn(parts[0].shape).to(parts[0].device)
        let image = decoder(Self.sample(parts[0], parts[1], noise: noise))
        let target = withoutGradients { encoder.input(pixels) }
        let values = Double(target.count / target.size(0))
        return [
            "reconstruction": (image - target).squared().mean() / (2 * settings.variance),
            "divergence": Self.divergence(parts[0], parts[1]) * (settings.beta / values),
        ]
    }

    /// z of [n, d] each.
    static func sample(_ mean: Tensor, _ logVariance: Tensor, noise: Tensor) -> Tensor { mean + (logVariance / 2).exp() * noise }

    /// KL( N(μ, σ²) ‖ N(0, 1) ), summed over the code, the mean over images.
    static func divergence(_ mean: Tensor, _ logVariance: Tensor) -> Tensor {
        (mean.squared() + logVariance.exp() - logVariance - 1).sum(1).mean() / 2
    }

    public func embedding(_ representation: Tensor) -> Tensor? { posterior(representation).chunks(2, dimension: 1)[0] }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let mean = posterior(encoder(pixels)).chunks(2, dimension: 1)[0]
        let noise = Tensor.randn(mean.shape).to(mean.device)
        return [
            PictureRow("Its reconstructions", encoder.input.pixels(decoder(mean))), PictureRow("The images", pixels),
            PictureRow("Samples: images of random codes", encoder.input.pixels(decoder(noise))),
        ]
    }
}
