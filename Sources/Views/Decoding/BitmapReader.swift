/// BMP without compression: palettes of 1, 4 and 8 bits, 24 bits, and 16 or 32 bits with or without channel masks; rows
/// from the bottom up or from the top down. Transparency is dropped.
struct BitmapReader {
    let header: ImageHeader
    private let bytes: UnsafeRawBufferPointer
    private let bits: Int
    private let topDown: Bool
    private let pixelOffset: Int
    /// RGB triples.
    private let palette: [UInt8]
    /// Where red, green and blue lie in a pixel of 16 or 32 bits.
    private let masks: [UInt32]

    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var cursor = ByteCursor(bytes, format: .bmp)
        cursor.position = 10
        pixelOffset = try cursor.littleEndian(4)
        let infoSize = try cursor.littleEndian(4)
        // 12 bytes: OS/2's header, with sides of 16 bits and palette entries of 3 bytes.
        guard infoSize == 12 || (infoSize >= 40 && infoSize <= 1024) else { throw cursor.broken("unknown header of \(infoSize) bytes") }
        let old = infoSize == 12
        let width = try old ? cursor.littleEndian(2) : cursor.signed()
        let storedHeight = try old ? cursor.littleEndian(2) : cursor.signed()
        _ = try cursor.littleEndian(2)
        bits = try cursor.littleEndian(2)
        let compression = try old ? 0 : cursor.littleEndian(4)
        guard width > 0, storedHeight != 0 else { throw cursor.broken("invalid sides in the header") }
        guard [1, 4, 8, 16, 24, 32].contains(bits) else { throw cursor.broken("\(bits) bits per pixel are not supported") }
        let masked = compression == 3 && (bits == 16 || bits == 32)
        guard compression == 0 || masked else { throw cursor.broken("compression \(compression) is not supported") }
        topDown = storedHeight < 0
        header = ImageHeader(width: width, height: abs(storedHeight))

        var masks: [UInt32] = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF_0000, 0xFF00, 0xFF]
        var palette: [UInt8] = []
        if masked {
            cursor.position = 14 + 40  // masks follow the first 40 bytes, inside a longer header or behind a short one
            for channel in 0..<3 {
                masks[channel] = UInt32(try cursor.littleEndian(4))
                guard masks[channel] != 0 else { throw cursor.broken("a channel without bits") }
            }
        } else if bits <= 8 {
            var entries = 1 << bits
            if !old {
                cursor.position = 14 + 32
                let used = try cursor.littleEndian(4)
                if used > 0 { entries = min(entries, used) }
            }
            cursor.position = 14 + infoSize
            for _ in 0..<entries {
                let (blue, green, red) = (try cursor.byte(), try cursor.byte(), try cursor.byte())
                if !old { _ = try cursor.byte() }
                palette += [red, green, blue]
            }
        }
        self.bytes = bytes
        self.masks = masks
        self.palette = palette
    }

    func pixels() throws(ImageError) -> PixelImage {
        let cursor = ByteCursor(bytes, format: .bmp)
        let (width, height) = (header.width, header.height)
        let stride = (width * bits + 31) / 32 * 4
        // The last row's padding may be missing.
        let last = (width * bits + 7) / 8
        let stored = try cursor.slice(at: pixelOffset, count: stride * (height - 1) + last)

        var unknownColour = false
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * PixelImage.channels) { rgb, count in
            for y in 0..<height {
                let row = (topDown ? y : height - 1 - y) * stride
                var to = y * width * PixelImage.channels
                for x in 0..<width {
                    switch bits {
                    case 24:
                        let at = row + 3 * x
                        (rgb[to], rgb[to + 1], rgb[to + 2]) = (stored[at + 2], stored[at + 1], stored[at])
                    case 16, 32:
                        let pixel =
                            bits == 16
                            ? UInt32(stored.loadUnaligned(fromByteOffset: row + 2 * x, as: UInt16.self).littleEndian)
                            : stored.loadUnaligned(fromByteOffset: row + 4 * x, as: UInt32.self).littleEndian
                        for channel in 0..<3 { rgb[to + channel] = Self.level(pixel, mask: masks[channel]) }
                    default:
                        let perByte = 8 / bits
                        let index = Int(stored[row + x / perByte] >> UInt8(8 - bits - x % perByte * bits)) & (1 << bits - 1)
                        let known = 3 * index + 2 < palette.count
                        unknownColour = unknownColour || !known
                        for channel in 0..<3 { rgb[to + channel] = known ? palette[3 * index + channel] : 0 }
                    }
                    to += PixelImage.channels
                }
            }
            count = width * height * PixelImage.channels
        }
        guard !unknownColour else { throw cursor.broken("a colour that is not in the palette") }
        return PixelImage(width: width, height: height, pixels: pixels)
    }

    /// A channel's bits stretched over 0 … 255.
    private static func level(_ pixel: UInt32, mask: UInt32) -> UInt8 {
        let highest = mask >> UInt32(mask.trailingZeroBitCount)
        let value = (pixel & mask) >> UInt32(mask.trailingZeroBitCount)
        if highest == 255 { return UInt8(value) }
        // A mask with gaps is no channel, but must not trap either: 64 bits hold every product.
        return UInt8(min(255, UInt64(value) * 255 / UInt64(highest)))
    }
}
