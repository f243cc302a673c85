public import Backbones
public import Torch
public import Views

/// Colorization (Zhang et al. 2016, arXiv:1603.08511): the lightness of an image is seen, its colours are to be told.
///
///     L = −mean over places of v(Z)·Σ_q Z_q log Ẑ_q                                                           (eq. 2)
///
/// Z is soft over the nearest bins of ab, v makes rare colours count as often as grey (eq. 3–4). Regression instead has
/// ½‖ab − âb‖² (eq. 1), in units of a bin. The network predicts a quarter of the image's side.
public final class Colorization: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public enum Objective: String, Codable, Sendable, CaseIterable { case classification, regression }

        public var objective = Objective.classification
        /// Bins among which a colour is shared.
        public var softNeighbours = 5
        /// σ, of that and of the smoothing of the colours' frequencies.
        public var softness = 5.0
        /// λ: 0 weighs colours by 1/frequency, 1 all alike.
        public var uniformShare = 0.5
        /// T, of the colours that are shown.
        public var decodingTemperature = 0.38
        public var decoderWidth = 256

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require(
                (1...ColourBins.count).contains(softNeighbours),
                "method.softNeighbours must be 1 to \(ColourBins.count), not \(softNeighbours)")
            try SettingsCheck.positive("softness", softness)
            try SettingsCheck.fraction("uniformShare", uniformShare)
            try SettingsCheck.positive("decodingTemperature", decodingTemperature)
            try SettingsCheck.positive("decoderWidth", decoderWidth)
        }
    }

    public static let card = MethodCard(
        name: "colorization", title: "Colorization", family: .pretext, paper: "Zhang et al. 2016, arXiv:1603.08511",
        summary: "tells the colours of an image from its lightness", leastBatch: 1, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    public let encoder: Encoder
    let decoder: MapDecoder
    /// [bins], v
    let balance: Buffer
    private let settings: Settings
    /// Of what is predicted.
    private let side: Int

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder(input: .lightness, channels: [1])
        let maps = try encoder.lastMapShape()
        side = max(1, context.imageSize / 4)
        decoder = MapDecoder(
            maps.channels, side: maps.side, to: side, width: settings.decoderWidth,
            outputs: settings.objective == .classification ? ColourBins.count : 2)
        balance = Buffer(.ones([ColourBins.count]))
        self.settings = settings
    }

    /// Counts the training images' colours.
    public func prepareRun(_ services: any RunServices) throws {
        guard settings.objective == .classification, settings.uniformShare < 1 else { return }
        var counts = Tensor.zeros([ColourBins.count], .int64)
        _ = try services.features { pixels in
            counts = counts + ColourBins.histogram(ColourBins.rows(self.target(pixels))).to(.cpu)
            return Tensor.zeros([pixels.size(0), 1])
        }
        balance.set(ColourBins.balance(counts, uniformShare: settings.uniformShare, softness: settings.softness))
    }

    /// ab of pixels [n, 3, h, w], averaged over squares: [n, 2, side, side].
    func target(_ pixels: Tensor) -> Tensor { ColourSpace.lab(pixels.unit).narrowed(1, from: 1, count: 2).adaptiveAveragePool2d(side) }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let prediction = decoder(encoder.lastMaps(pixels)).precise
        let ab = withoutGradients { target(pixels) }
        switch settings.objective {
        case .regression: return ["colours": Self.regression(prediction, ab)]
        case .classification:
            return [
                "colours": ColourBins.crossEntropy(
                    prediction, ab, neighbours: settings.softNeighbours, softness: settings.softness, weights: balance.value)
            ]
        }
    }

    /// - Parameters:
    ///   - prediction: [n, 2, h, w], in units of 10.
    ///   - ab: [n, 2, h, w]
    static func regression(_ prediction: Tensor, _ ab: Tensor) -> Tensor { (prediction - ab / 10).squared().sum(1).mean() / 2 }

    /// Colours at one lightness, as coarse as they are told.
    public func task(of pixels: Tensor) -> [PictureRow] {
        [
            PictureRow("seen", Self.lightness(pixels)),
            PictureRow("told", Self.colours(target(pixels), like: pixels)),
        ]
    }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let prediction = decoder(encoder.lastMaps(pixels)).precise
        let ab =
            settings.objective == .regression
            ? prediction * 10 : ColourBins.annealedMean(prediction, temperature: settings.decodingTemperature)
        return Self.pictures(pixels, ab: ab)
    }

    /// ab [n, 2, ·, ·] at one lightness, in the images' size.
    static func colours(_ ab: Tensor, like pixels: Tensor) -> Tensor {
        let ab = ab.resizedBilinear(height: pixels.size(2), width: pixels.size(3))
        let lightness = Tensor.full([ab.size(0), 1, ab.size(2), ab.size(3)], 65).to(ab.device)
        return ColourSpace.rgb(.concatenated([lightness, ab], dimension: 1)) * 255
    }

    /// Without colours.
    static func lightness(_ pixels: Tensor) -> Tensor {
        let lightness = ColourSpace.lab(pixels.unit).narrowed(1, from: 0, count: 1)
        return ColourSpace.rgb(.concatenated([lightness, lightness.zerosLike(), lightness.zerosLike()], dimension: 1)) * 255
    }

    /// What is seen, what is told of it, and what is true.
    static func pictures(_ pixels: Tensor, ab: Tensor) -> [PictureRow] {
        let lightness = ColourSpace.lab(pixels.unit).narrowed(1, from: 0, count: 1)
        let colours = ab.resizedBilinear(height: pixels.size(2), width: pixels.size(3))
        return [
            PictureRow("What it sees: lightness", Self.lightness(pixels)),
            PictureRow("The colours that it tells", ColourSpace.rgb(.concatenated([lightness, colours], dimension: 1)) * 255),
            PictureRow("The images", pixels),
        ]
    }
}

extension Tensor {
    /// Pixels of 0 … 255 to floats of 0 … 1.
    var unit: Tensor { (dataType.isFloatingPoint ? self : to(.float32)).contiguous() / 255 }
}
