/// Reads numbers from a file's bytes and throws where the file ends: what the small readers stand on.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    let format: ImageFormat
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer, format: ImageFormat) {
        self.bytes = bytes
        self.format = format
    }

    func broken(_ reason: String) -> ImageError { .corrupt(format: format, reason: reason) }

    mutating func byte() throws(ImageError) -> UInt8 {
        guard position < bytes.count else { throw broken("premature end of file") }
        defer { position += 1 }
        return bytes[position]
    }

    /// An unsigned number of `size` bytes, lowest first.
    mutating func littleEndian(_ size: Int) throws(ImageError) -> Int {
        var value = 0
        for shift in 0..<size { value |= Int(try byte()) << (8 * shift) }
        return value
    }

    /// A signed number of 4 bytes, lowest first.
    mutating func signed() throws(ImageError) -> Int { Int(Int32(truncatingIfNeeded: try littleEndian(4))) }

    /// Checks that `count` bytes lie at `offset` and returns them.
    func slice(at offset: Int, count: Int) throws(ImageError) -> UnsafeRawBufferPointer {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { throw broken("premature end of file") }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }
}
