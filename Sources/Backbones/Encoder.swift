public import Torch

/// What a run is for: an input transform and a backbone, from pixels to representations h.
public final class Encoder: Module {
    public let backbone: Backbone
    public let input: InputTransform
    /// As in the recipe; with `imageSize` enough to build the backbone again.
    public let settings: BackboneSettings
    /// The side of the images that it was trained on.
    public let imageSize: Int

    /// Settles how libtorch works in this process (``Runtime/prepare()``), too.
    public init(_ settings: BackboneSettings, imageSize: Int, input: InputTransform = .imagenet) throws(BackboneError) {
        Runtime.prepare()
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
    public func callAsFunction(_ pixels: Tensor) -> Tensor {
        guard let grid = input.patches else { return backbone(input(pixels)) }
        let places = grid * grid
        return backbone(patches(pixels)).reshaped(pixels.size(0), places, outputWidth).mean(1)
    }

    /// The image's overlapping patches, prepared for the backbone: [n, 3, h, w] to [n · grid², 3, p, p], an image's in reading order.
    /// - Parameter grid: of a side; `input.patches` by default.
    /// - Precondition: one of the two is set.
    public func patches(_ pixels: Tensor, grid: Int? = nil) -> Tensor {
        let x = input(pixels)
        let count = (grid ?? input.patches!) + 1
        let stride = Swift.max(1, Swift.min(x.size(2), x.size(3)) / count)
        let side = 2 * stride
        let cut = x.narrowed(2, from: 0, count: stride * count).narrowed(3, from: 0, count: stride * count)
            .unfolded(2, size: side, step: stride).unfolded(3, size: side, step: stride)
        return cut.permuted(0, 2, 3, 1, 4, 5).reshaped(-1, x.size(1), side, side).contiguous(.channelsLast)
    }
}

/// From pixels, 0 … 255, to what a backbone expects: (x / 255 − mean) / deviation per channel, of other colours and in patches if
/// asked.
public struct InputTransform: Codable, Sendable, Equatable {
    /// Three values on the scale 0 … 1, in the order red, green, blue. Of other colours fewer leave the last ones out.
    public var mean: [Double]
    public var deviation: [Double]
    /// RGB when nil.
    public var colours: Colours?
    /// Patches of a side, each overlapping the next by half, which the backbone sees one by one; the representation is their mean.
    /// Whole images when nil.
    public var patches: Int?

    public enum Colours: String, Codable, Sendable {
        /// CIE L*a*b* at D65, in which `mean` and `deviation` are too: lightness 0 … 100, and two of colour around 0.
        case lab
        /// RGB without what lies between green and magenta: of each pixel the projection I − aᵀa/(aaᵀ), a = [−1, 2, −1], which takes
        /// away most of what chromatic aberration shows (Doersch et al. 2015, section 3.1).
        case withoutGreenMagenta
    }

    public init(mean: [Double], deviation: [Double]) {
        self.mean = mean
        self.deviation = deviation
    }

    /// The statistics of ImageNet's training images, which most published weights expect.
    public static let imagenet = InputTransform(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

    /// The middle and half of the range of what sRGB's colours are in CIE L*a*b*.
    public static let lab: InputTransform = {
        var transform = InputTransform(mean: [50, 6.025, -6.69], deviation: [50, 92.208, 101.168])
        transform.colours = .lab
        return transform
    }()

    /// The first of those: an image without its colours.
    public static let lightness: InputTransform = {
        var transform = InputTransform(mean: [50], deviation: [50])
        transform.colours = .lab
        return transform
    }()

    /// - Returns: float32 (or, of float input, its type), channels-last.
    public func callAsFunction(_ pixels: Tensor) -> Tensor {
        let values = pixels.dataType.isFloatingPoint ? pixels : pixels.to(.float32)
        let unit = colours == .lab ? 1 : 255.0
        let all =
            switch colours {
            case nil: values
            case .lab: ColourSpace.lab(values / 255)
            case .withoutGreenMagenta: ColourSpace.withoutGreenMagenta(values)
            }
        let count = mean.count
        let x = count < 3 ? all.narrowed(1, from: 0, count: count) : all
        let shift = Tensor(mean.map { $0 * unit }, [1, count, 1, 1]).to(x.dataType).to(x.device)
        let scale = Tensor(deviation.map { 1 / (unit * $0) }, [1, count, 1, 1]).to(x.dataType).to(x.device)
        return ((x - shift) * scale).contiguous(.channelsLast)
    }
}
