/// Cuts the view's size out of the middle. torchvision's `CenterCrop`: odd remainders round half to even, and an image
/// that is too small is padded with zeros.
public struct CenterCrop: AugmentationStep {
    public static let name = "centerCrop"

    /// nil for the view's size.
    public var size: ImageSize?

    public init() {}
    public init(size: ImageSize? = nil) { self.size = size }

    private enum CodingKeys: String, CodingKey, CaseIterable { case size }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.size, &size)
    }

    public func validate() throws(AugmentationError) { try Self.check.positive(size) }
    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? { self.size ?? target }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let size = self.size ?? canvas.target
        let y = Self.start(canvas.size.height, size.height)
        let x = Self.start(canvas.size.width, size.width)
        canvas.crop(PixelBox(x: x, y: y, width: size.width, height: size.height))
    }

    /// Where `part` begins in `whole`; negative when it is larger. torchvision pads the smaller half first, then crops.
    private static func start(_ whole: Int, _ part: Int) -> Int {
        if part > whole { return -((part - whole) / 2) }
        return Int((Double(whole - part) / 2).rounded(.toNearestOrEven))
    }
}
