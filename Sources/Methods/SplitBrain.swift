public import Backbones
public import Torch
public import Views

/// Split-brain autoencoder (Zhang et al. 2017, arXiv:1611.09842): each half of the network sees some channels of an image and
/// tells the others.
///
///     L = −mean log p(ab | F₁(L)) − mean log p(L | F₂(ab));     h = (F₁(L), F₂(ab))                        (eq. 3–5)
///
/// Both are classifications: of ab into `ColourBins`, of L into 100 bins of 1. Regression instead has ½‖·‖², in units of 10. Together
/// the halves have seen the whole image, though neither could copy what it had to tell.
public final class SplitBrain: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var objective = Colorization.Settings.Objective.classification
        public var decoderWidth = 256

        public init() {}

        public func validate() throws(SettingsError) { try SettingsCheck.positive("decoderWidth", decoderWidth) }
    }

    public static let card = MethodCard(
        name: "split_brain", title: "Split-brain autoencoder", family: .pretext, paper: "Zhang et al. 2017, arXiv:1611.09842",
        summary: "one half of the network tells colours from lightness, the other lightness from colours", leastBatch: 1,
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    public let encoder: Encoder
    /// Of ab from L, and of L from ab.
    let decoders: [MapDecoder]
    private let settings: Settings
    private let side: Int

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder(input: .lab, channels: [1, 2])
        self.encoder = encoder
        let maps = try encoder.lastMapShape()
        let side = max(1, context.imageSize / 4)
        let outputs = settings.objective == .classification ? [ColourBins.count, 100] : [2, 1]
        decoders = outputs.map {
            MapDecoder(maps.channels / 2, side: maps.side, to: side, width: settings.decoderWidth, outputs: $0)
        }
        self.settings = settings
        self.side = side
    }

    /// Predictions of ab and of L, [n, c, side, side].
    private func predictions(_ pixels: Tensor) -> [Tensor] {
        zip(decoders, encoder.lastMaps(pixels).chunks(2, dimension: 1)).map { $0($1.contiguous(.channelsLast)).precise }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let predictions = predictions(pixels)
        let lab = withoutGradients { ColourSpace.lab(pixels.unit).adaptiveAveragePool2d(side) }
        let (lightness, ab) = (lab.narrowed(1, from: 0, count: 1), lab.narrowed(1, from: 1, count: 2))
        if settings.objective == .regression {
            return [
                "colours": Colorization.regression(predictions[0], ab), "lightness": Colorization.regression(predictions[1], lightness),
            ]
        }
        return [
            "colours": ColourBins.crossEntropy(predictions[0], ab, neighbours: 1, softness: 5, weights: nil),
            "lightness": Self.lightness(predictions[1], lightness),
        ]
    }

    /// - Parameters:
    ///   - logits: [n, 100, h, w]
    ///   - lightness: [n, 1, h, w]
    static func lightness(_ logits: Tensor, _ lightness: Tensor) -> Tensor {
        ColourBins.rows(logits).crossEntropy(lightness.flattened().floor().clamped(0, 99).to(.int64))
    }

    /// Each half of the channels is seen by one half of the network, which tells the other.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let ab = ColourSpace.lab(pixels.unit).narrowed(1, from: 1, count: 2)
        return [
            PictureRow("L", Colorization.lightness(pixels)),
            PictureRow("ab", Colorization.colours(ab, like: pixels)),
        ]
    }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let predictions = predictions(pixels)
        let isClassified = settings.objective == .classification
        let ab = isClassified ? ColourBins.annealedMean(predictions[0], temperature: 0.38) : predictions[0] * 10
        let levels = Tensor.arange(100, .float32, on: pixels.device).reshaped(1, 100, 1, 1) + 0.5
        let lightness = isClassified ? (predictions[1].softmax(1) * levels).sum(1, keep: true) : predictions[1] * 10
        let colours = ColourSpace.lab(pixels.unit).narrowed(1, from: 1, count: 2)
        let lit = Tensor.concatenated([lightness.resizedBilinear(height: pixels.size(2), width: pixels.size(3)), colours], dimension: 1)
        var rows = Colorization.pictures(pixels, ab: ab)
        rows.insert(PictureRow("The lightness that it tells from the colours", ColourSpace.rgb(lit) * 255), at: 2)
        return rows
    }
}
