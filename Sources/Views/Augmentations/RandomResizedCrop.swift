/// Cuts out a random part of random area and shape and brings it to the view's size: Inception's crop (Szegedy et al.
/// 2015), the augmentation that matters most to contrastive methods (SimCLR, Fig. 5).
///
/// torchvision's `RandomResizedCrop`, its ten tries and its fallback, and its resampling of uint8 tensors. SimCLR and
/// BYOL resample bicubically.
public struct RandomResizedCrop: AugmentationStep {
    public static let name = "randomResizedCrop"

    /// nil for the view's size.
    public var size: ImageSize?
    /// Share of the image's area.
    public var scale: ClosedRange<Double> = 0.08...1
    /// Width over height; its logarithm is uniform.
    public var ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3
    public var interpolation = Interpolation.bicubic
    public var antialias = true

    public init() {}

    public init(
        size: ImageSize? = nil, scale: ClosedRange<Double> = 0.08...1, ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3,
        interpolation: Interpolation = .bicubic, antialias: Bool = true
    ) {
        self.size = size
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case size, scale, ratio, interpolation, antialias }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.size, &size)
        try settings.read(.scale, &scale)
        try settings.read(.ratio, &ratio)
        try settings.read(.interpolation, &interpolation)
        try settings.read(.antialias, &antialias)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.positive(size)
        try Self.check.holds(
            scale.lowerBound > 0 && scale.upperBound <= 1,
            "scale is \(scale.lowerBound)…\(scale.upperBound), but a share of the area lies above 0 and at most at 1")
        try Self.check.holds(ratio.lowerBound > 0 && ratio.upperBound.isFinite, "ratio must be above 0")
    }

    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? { self.size ?? target }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        canvas.resize(box(in: canvas.size, random: &random), to: size ?? canvas.target, interpolation, antialias: antialias)
    }

    /// `RandomResizedCrop.get_params`.
    public func box(in image: ImageSize, random: inout ViewRandom) -> PixelBox {
        let area = Double(image.height * image.width)
        let logarithms = PortableMath.log(ratio.lowerBound)...PortableMath.log(ratio.upperBound)
        for _ in 0..<10 {
            let part = area * random.uniform(in: scale)
            let shape = PortableMath.exp(random.uniform(in: logarithms))
            let width = Int((part * shape).squareRoot().rounded(.toNearestOrEven))
            let height = Int((part / shape).squareRoot().rounded(.toNearestOrEven))
            if width > 0, width <= image.width, height > 0, height <= image.height {
                let y = random.integer(below: image.height - height + 1)
                let x = random.integer(below: image.width - width + 1)
                return PixelBox(x: x, y: y, width: width, height: height)
            }
        }
        // None fitted: the largest central part of a permitted shape.
        let shape = Double(image.width) / Double(image.height)
        var (width, height) = (image.width, image.height)
        if shape < ratio.lowerBound {
            height = min(height, Int((Double(width) / ratio.lowerBound).rounded(.toNearestOrEven)))
        } else if shape > ratio.upperBound {
            width = min(width, Int((Double(height) * ratio.upperBound).rounded(.toNearestOrEven)))
        }
        width = max(width, 1)
        height = max(height, 1)
        return PixelBox(x: (image.width - width) / 2, y: (image.height - height) / 2, width: width, height: height)
    }
}
