public import Backbones
public import Torch
public import Views

/// Autoencoder, and denoising autoencoder (Vincent et al. 2008; 2010, JMLR 11:3371).
///
///     L = mean of ( x − decoder(encoder(x̃)) )²,   x̃ ~ q(x̃|x)                                        (eq. 3–5 of 2010)
///
/// The representation is the code: what an image is reconstructed from. Without noise nothing but its width keeps the network from
/// copying; with noise it has to know what images look like. x̃ is x with a share of its values at 0 (masking), with normal noise
/// added, or with a share at black or white (salt and pepper). The backbone `mlp` with the decoder `connected` is the paper's kind of
/// network, trained at once rather than layer by layer. Deviation: values are normalised, and the error is squared, where the
/// paper has cross-entropy for values in 0 … 1.
public final class Autoencoder: Module, DeviceTask {
    public enum Noise: String, Codable, Sendable, CaseIterable { case none, masking, gaussian, saltAndPepper }
    /// Transposed convolutions, or two fully connected layers as the paper's networks have them (with the backbone `mlp`).
    public enum Decoder: String, Codable, Sendable, CaseIterable { case convolutional, connected }

    public struct Settings: MethodSettings {
        public var noise = Noise.none
        /// Of masking and of salt and pepper the share ν of values, of normal noise the deviation in shares of 255.
        public var noiseLevel = 0.25
        public var decoder = Decoder.convolutional
        /// Channels of the first maps, or values of the hidden layer.
        public var decoderWidth = 256

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.fraction("noiseLevel", noiseLevel)
            try SettingsCheck.positive("decoderWidth", decoderWidth)
        }
    }

    public static let card = MethodCard(
        name: "autoencoder", title: "Autoencoder", family: .generative, paper: "Vincent et al. 2008, 2010 (denoising)",
        summary: "reconstructs an image, or one that noise was put on, from its representation", leastBatch: 1, hasPositivePairs: false,
        remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    public let encoder: Encoder
    let decoder: Layer
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        decoder =
            switch settings.decoder {
            case .convolutional: VectorDecoder(encoder.outputWidth, to: context.imageSize, width: settings.decoderWidth)
            case .connected: ConnectedDecoder(encoder.outputWidth, to: context.imageSize, width: settings.decoderWidth)
            }
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let noisy = Self.corrupted(pixels, settings.noise, level: settings.noiseLevel)
        return ["reconstruction": Self.reconstruction(decoder(encoder(noisy)), withoutGradients { encoder.input(pixels) })]
    }

    static func reconstruction(_ prediction: Tensor, _ target: Tensor) -> Tensor { (prediction - target).squared().mean() }

    /// q(x̃|x), every value on its own. Chance comes from the CPU's generator, whose state checkpoints keep.
    /// - Parameter pixels: 0 … 255.
    static func corrupted(_ pixels: Tensor, _ noise: Noise, level: Double) -> Tensor {
        guard noise != .none, level > 0 else { return pixels }
        let x = pixels.dataType.isFloatingPoint ? pixels : pixels.to(.float32)
        func uniform() -> Tensor { Tensor.rand(x.shape).to(x.device) }
        switch noise {
        case .none: return x
        case .masking: return x.filled(0, where: uniform().less(level))
        case .gaussian: return x + Tensor.randn(x.shape).to(x.dataType).to(x.device) * (level * 255)
        case .saltAndPepper:
            let u = uniform()
            return x.filled(0, where: u.less(level / 2)).filled(255, where: u.less(level).and(u.less(level / 2).not))
        }
    }

    public func task(of pixels: Tensor) -> [PictureRow] {
        [PictureRow("seen", Self.corrupted(pixels, settings.noise, level: settings.noiseLevel)), PictureRow("told", pixels)]
    }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let noisy = Self.corrupted(pixels, settings.noise, level: settings.noiseLevel)
        let seen = settings.noise == .none ? [] : [PictureRow("What it sees", noisy)]
        return seen + [PictureRow("Its reconstructions", encoder.input.pixels(decoder(encoder(noisy)))), PictureRow("The images", pixels)]
    }
}

extension InputTransform {
    /// The way back: normalised values of red, green and blue to 0 … 255.
    func pixels(_ x: Tensor) -> Tensor {
        let (scale, shift) = (Tensor(deviation, [1, 3, 1, 1]), Tensor(mean, [1, 3, 1, 1]))
        return (x.precise * scale.to(.float32).to(x.device) + shift.to(.float32).to(x.device)) * 255
    }
}
