/// Pads the image and cuts out a random part of the view's size: the augmentation of CIFAR (He et al. 2016: 4 pixels of
/// zeros). torchvision's `RandomCrop` with constant padding; an image that is still too small is padded further.
public struct RandomCrop: AugmentationStep {
    public static let name = "randomCrop"

    /// nil for the view's size.
    public var size: ImageSize?
    /// Pixels added on every side.
    public var padding = 0
    /// Grey level of the padding.
    public var fill: UInt8 = 0

    public init() {}

    public init(size: ImageSize? = nil, padding: Int = 0, fill: UInt8 = 0) {
        self.size = size
        self.padding = padding
        self.fill = fill
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case size, padding, fill }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.size, &size)
        try settings.read(.padding, &padding)
        try settings.read(.fill, &fill)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.positive(size)
        try Self.check.holds(padding >= 0, "padding is \(padding), but cannot be negative")
    }

    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? { self.size ?? target }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let size = self.size ?? canvas.target
        // As much again as is missing, on both sides.
        let down = padding + max(0, size.height - canvas.size.height - 2 * padding)
        let across = padding + max(0, size.width - canvas.size.width - 2 * padding)
        let y = random.integer(below: canvas.size.height + 2 * down - size.height + 1) - down
        let x = random.integer(below: canvas.size.width + 2 * across - size.width + 1) - across
        canvas.crop(PixelBox(x: x, y: y, width: size.width, height: size.height), fill: fill)
    }
}
