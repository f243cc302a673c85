/// A decoded image: 8-bit RGB, interleaved, row by row from the top left.
///
/// Every decoder ends here, whatever the file held (grey, palette, CMYK, 16 bits, transparency), so that nothing
/// after decoding has cases.
public struct PixelImage: Sendable, Equatable {
    public static let channels = 3
    public let width: Int
    public let height: Int
    /// `height × width × 3` bytes.
    public var pixels: [UInt8]

    /// - Precondition: `pixels.count == width * height * 3`, both sides at least 1.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * Self.channels, "pixels do not fill the image")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
