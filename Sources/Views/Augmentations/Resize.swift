/// Brings the image to a size. `shorter`: the shorter side becomes this long and the shape stays (torchvision's
/// `Resize(int)`, which rounds the longer side down); otherwise exactly `size`, whatever becomes of the shape.
public struct Resize: AugmentationStep {
    public static let name = "resize"

    /// nil for the view's size. Not used with `shorter`.
    public var size: ImageSize?
    public var shorter: Int?
    public var interpolation = Interpolation.bicubic
    public var antialias = true

    public init() {}

    public init(size: ImageSize? = nil, interpolation: Interpolation = .bicubic, antialias: Bool = true) {
        self.size = size
        self.interpolation = interpolation
        self.antialias = antialias
    }

    public init(shorter: Int, interpolation: Interpolation = .bicubic, antialias: Bool = true) {
        self.shorter = shorter
        self.interpolation = interpolation
        self.antialias = antialias
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case size, shorter, interpolation, antialias }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.size, &size)
        try settings.read(.shorter, &shorter)
        try settings.read(.interpolation, &interpolation)
        try settings.read(.antialias, &antialias)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.positive(size)
        try Self.check.holds(size == nil || shorter == nil, "size and shorter are both set; one of them decides")
        if let shorter { try Self.check.holds(shorter > 0, "shorter is \(shorter), but must be at least 1") }
    }

    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? {
        guard let shorter else { return self.size ?? target }
        if size.width <= size.height { return ImageSize(height: shorter * size.height / size.width, width: shorter) }
        return ImageSize(height: shorter, width: shorter * size.width / size.height)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let new = size(after: canvas.size, target: canvas.target)!
        if new != canvas.size { canvas.resize(to: new, interpolation, antialias: antialias) }
    }
}
