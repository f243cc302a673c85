/// PBM, PGM and PPM, binary and as text (P1 … P6), with greatest values up to 65535. A file may hold several images: the
/// first is read. Levels are stretched over 0 … 255 and rounded.
struct NetpbmReader {
    let header: ImageHeader
    private let kind: UInt8
    private let greatest: Int
    private let cursor: ByteCursor

    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var cursor = ByteCursor(bytes, format: .pnm)
        cursor.position = 1
        kind = try cursor.byte() - UInt8(ascii: "0")
        let width = try Self.number(&cursor)
        let height = try Self.number(&cursor)
        greatest = kind == 1 || kind == 4 ? 1 : try Self.number(&cursor)
        guard width > 0, height > 0 else { throw cursor.broken("invalid sides in the header") }
        guard greatest > 0, greatest < 65536 else { throw cursor.broken("a greatest value of \(greatest)") }
        // A single space divides the header from binary pixels.
        if kind >= 4, !Self.isSpace(try cursor.byte()) { throw cursor.broken("no space behind the header") }
        header = ImageHeader(width: width, height: height)
        self.cursor = cursor
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    func pixels() throws(ImageError) -> PixelImage {
        let samples = header.width * header.height * (kind == 3 || kind == 6 ? 3 : 1)
        let levels = try kind >= 4 ? binaryLevels(samples) : textLevels(samples)
        if kind == 3 || kind == 6 { return PixelImage(width: header.width, height: header.height, pixels: levels) }
        let pixels = [UInt8](unsafeUninitializedCapacity: samples * PixelImage.channels) { rgb, count in
            for (i, level) in levels.enumerated() {
                for channel in 0..<PixelImage.channels { rgb[i * PixelImage.channels + channel] = level }
            }
            count = samples * PixelImage.channels
        }
        return PixelImage(width: header.width, height: header.height, pixels: pixels)
    }

    private func binaryLevels(_ samples: Int) throws(ImageError) -> [UInt8] {
        if kind == 4 {
            let stride = (header.width + 7) / 8
            let stored = try cursor.slice(at: cursor.position, count: stride * header.height)
            return [UInt8](unsafeUninitializedCapacity: samples) { levels, count in
                for y in 0..<header.height {
                    for x in 0..<header.width {
                        // Set means black.
                        let set = stored[y * stride + x / 8] >> UInt8(7 - x % 8) & 1
                        levels[y * header.width + x] = set == 1 ? 0 : 255
                    }
                }
                count = samples
            }
        }
        let wide = greatest > 255
        let stored = try cursor.slice(at: cursor.position, count: wide ? samples * 2 : samples)
        if greatest == 255 { return Array(stored) }
        return [UInt8](unsafeUninitializedCapacity: samples) { levels, count in
            for i in 0..<samples {
                levels[i] = level(wide ? Int(stored[2 * i]) << 8 | Int(stored[2 * i + 1]) : Int(stored[i]))
            }
            count = samples
        }
    }

    private func textLevels(_ samples: Int) throws(ImageError) -> [UInt8] {
        // Each value takes at least a digit: check before allocating for them.
        guard samples <= cursor.bytes.count - cursor.position else { throw cursor.broken("premature end of file") }
        var cursor = cursor
        var levels: [UInt8] = []
        levels.reserveCapacity(samples)
        for _ in 0..<samples {
            if kind == 1 {
                // Bits need no space between them.
                let byte = try Self.skipSpace(&cursor)
                guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { throw cursor.broken("neither 0 nor 1") }
                levels.append(byte == UInt8(ascii: "1") ? 0 : 255)
            } else {
                levels.append(level(try Self.number(&cursor)))
            }
        }
        return levels
    }

    private func level(_ value: Int) -> UInt8 { UInt8(min(255, (value * 255 + greatest / 2) / greatest)) }

    /// The first byte behind spaces and comments.
    private static func skipSpace(_ cursor: inout ByteCursor) throws(ImageError) -> UInt8 {
        while true {
            var byte = try cursor.byte()
            if byte == UInt8(ascii: "#") {
                while byte != 10 && byte != 13 { byte = try cursor.byte() }
            } else if !isSpace(byte) {
                return byte
            }
        }
    }

    private static func number(_ cursor: inout ByteCursor) throws(ImageError) -> Int {
        var byte = try skipSpace(&cursor)
        var value = 0
        while true {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw cursor.broken("not a number") }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            guard value <= Int(Int32.max) else { throw cursor.broken("too great a number") }
            // The space behind the number belongs to what follows; a number may also end the file.
            guard cursor.position < cursor.bytes.count else { return value }
            let next = cursor.bytes[cursor.position]
            if isSpace(next) || next == UInt8(ascii: "#") { return value }
            byte = try cursor.byte()
        }
    }
}
