public import Torch

/// What a run is for: an input transform and a backbone, from pixels to representations h.
public final class Encoder: Module {
    public let backbone: Backbone
    public let input: InputTransform
    /// As in the recipe; with `imageSize` enough to build the backbone again.
    public let settings: BackboneSettings
    /// The side of the images that it was trained on.
    public let imageSize: Int

    public init(_ settings: BackboneSettings, imageSize: Int, input: InputTransform = .imagenet) throws(BackboneError) {
        self.backbone = try BackboneRegistry.make(settings, imageSize: imageSize)
        self.settings = settings
        self.imageSize = imageSize
        self.input = input
    }

    /// The backbone's keys, without a prefix: what goes into files is what other tools read.
    public override var children: [(key: String, child: Module)] { [("", backbone)] }

    public var outputWidth: Int { backbone.outputWidth }

    /// - Parameter pixels: [n, 3, h, w], uint8 or float, 0 … 255.
    /// - Returns: h, [n, outputWidth].
    public func callAsFunction(_ pixels: Tensor) -> Tensor { backbone(input(pixels)) }
}

/// From pixels, 0 … 255, to what a backbone expects: (x / 255 − mean) / deviation per channel.
public struct InputTransform: Codable, Sendable, Equatable {
    /// Three values on the scale 0 … 1, in the order red, green, blue.
    public var mean: [Double]
    public var deviation: [Double]

    public init(mean: [Double], deviation: [Double]) {
        self.mean = mean
        self.deviation = deviation
    }

    /// The statistics of ImageNet's training images, which most published weights expect.
    public static let imagenet = InputTransform(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

    /// - Returns: float32 (or, of float input, its type), channels-last.
    public func callAsFunction(_ pixels: Tensor) -> Tensor {
        let x = pixels.dataType.isFloatingPoint ? pixels : pixels.to(.float32)
        let shift = Tensor(mean.map { $0 * 255 }, [1, 3, 1, 1]).to(x.dataType).to(x.device)
        let scale = Tensor(deviation.map { 1 / (255 * $0) }, [1, 3, 1, 1]).to(x.dataType).to(x.device)
        return ((x - shift) * scale).contiguous(.channelsLast)
    }
}
