/// Turns a file's bytes into 8-bit RGB: JPEG, PNG, WebP, TIFF, BMP and PNM, recognised by their first bytes.
///
/// - Grey is repeated over the channels; palettes are looked up; of 16 bits the high byte is kept (PNM is rounded).
/// - Transparency is dropped, not blended over a background, as PIL's `convert("RGB")` does it: training on PIL's pixels
///   and on ours is the same.
/// - JPEG and TIFF are turned as their orientation tag says. Colour profiles are not applied.
/// - CMYK JPEGs follow Adobe's inverted convention.
/// - A file that is cut off is an error, never a half-grey image.
///
/// Results do not depend on other calls: a decoder may be used from any number of threads.
public struct ImageDecoder: Sendable {
    /// Twice the count from which PIL warns of a decompression bomb; PIL refuses from there on, too.
    public static let defaultPixelLimit = 178_956_970

    /// The greatest width × height that is decoded; checked in the header, before memory is taken.
    public let pixelLimit: Int

    public init(pixelLimit: Int = ImageDecoder.defaultPixelLimit) {
        // Capped so that no product of sides and bytes per pixel can overflow.
        self.pixelLimit = min(max(pixelLimit, 1), 1 << 32)
    }

    /// Decodes an image.
    ///
    /// - Parameter target: when given, a JPEG may come out at a half, a quarter or an eighth of its size, which is several
    ///   times faster, provided that the shorter side of the result stays at least `2 × target` pixels: enough for a resize
    ///   to `target` to look the same. Other formats come in full size.
    /// - Throws: ``ImageError`` for anything that is not a whole image within the limit.
    public func decode(_ bytes: UnsafeRawBufferPointer, coveringAtLeast target: Int? = nil) throws(ImageError) -> PixelImage {
        switch try format(of: bytes) {
        case .jpeg:
            return try decode(bytes, with: .jpeg, target: target)
        case .png:
            return try decode(bytes, with: .png)
        case .webp:
            return try decode(bytes, with: .webp)
        case .tiff:
            return try decode(bytes, with: .tiff)
        case .bmp:
            let reader = try BitmapReader(bytes)
            try check(reader.header)
            return try reader.pixels()
        case .pnm:
            let reader = try NetpbmReader(bytes)
            try check(reader.header)
            return try reader.pixels()
        }
    }

    /// As ``decode(_:coveringAtLeast:)`` for an array.
    public func decode(_ bytes: [UInt8], coveringAtLeast target: Int? = nil) throws(ImageError) -> PixelImage {
        try withBytes(of: bytes) { raw throws(ImageError) in try decode(raw, coveringAtLeast: target) }
    }

    /// As ``decode(_:coveringAtLeast:)`` for the file at `path`.
    public func decode(file path: String, coveringAtLeast target: Int? = nil) throws(ImageError) -> PixelImage {
        let file = try FileBytes(path)
        return try decode(file.bytes, coveringAtLeast: target)
    }

    /// The sides in pixels that ``decode(_:coveringAtLeast:)`` would give without a target, from the header alone. The
    /// limit is not applied, and the pixels may still turn out to be broken.
    public func size(of bytes: UnsafeRawBufferPointer) throws(ImageError) -> (width: Int, height: Int) {
        let header: ImageHeader
        switch try format(of: bytes) {
        case .jpeg: header = try LinkedCodec.jpeg.header(bytes)
        case .png: header = try LinkedCodec.png.header(bytes)
        case .webp: header = try LinkedCodec.webp.header(bytes)
        case .tiff: header = try LinkedCodec.tiff.header(bytes)
        case .bmp: header = try BitmapReader(bytes).header
        case .pnm: header = try NetpbmReader(bytes).header
        }
        return header.orientation.swapsSides ? (header.height, header.width) : (header.width, header.height)
    }

    /// As ``size(of:)`` for an array.
    public func size(of bytes: [UInt8]) throws(ImageError) -> (width: Int, height: Int) {
        try withBytes(of: bytes) { raw throws(ImageError) in try size(of: raw) }
    }

    /// As ``size(of:)`` for the file at `path`, which is read whole.
    public func size(file path: String) throws(ImageError) -> (width: Int, height: Int) {
        let file = try FileBytes(path)
        return try size(of: file.bytes)
    }

    private func format(of bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageFormat {
        guard !bytes.isEmpty else { throw .empty }
        guard let format = ImageFormat(sniffing: bytes) else { throw .unknownFormat }
        return format
    }

    private func check(_ header: ImageHeader) throws(ImageError) {
        let (pixels, overflow) = header.width.multipliedReportingOverflow(by: header.height)
        guard !overflow, pixels <= pixelLimit else {
            throw .tooLarge(width: header.width, height: header.height, limit: pixelLimit)
        }
    }

    private func decode(_ bytes: UnsafeRawBufferPointer, with codec: LinkedCodec, target: Int? = nil) throws(ImageError) -> PixelImage {
        let header = try codec.header(bytes)
        try check(header)
        let image = try codec.pixels(bytes, header: header, divisor: Self.divisor(for: header, target: target))
        return header.orientation.applied(to: image)
    }

    /// The greatest of 8, 4, 2 and 1 that leaves the shorter side at least twice the target. Eighths in between (7/8, 3/8)
    /// save nothing: libjpeg-turbo has no vector code for them.
    static func divisor(for header: ImageHeader, target: Int?) -> Int {
        guard let target, target > 0 else { return 1 }
        let shorter = min(header.width, header.height)
        return [8, 4, 2].first { (shorter + $0 - 1) / $0 / 2 >= target } ?? 1
    }

    /// `withUnsafeBytes` with a typed error.
    private func withBytes<Value>(
        of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(ImageError) -> Value
    ) throws(ImageError) -> Value {
        let result: Result<Value, ImageError> = bytes.withUnsafeBytes { raw in
            do throws(ImageError) {
                return .success(try body(raw))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
