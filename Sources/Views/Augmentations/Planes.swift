/// Where an image's pixels are while it is worked on: three planes of 8-bit rows, padded for vector loops.
/// Valid until the canvas is changed.
struct Planes {
    let red: UnsafeMutablePointer<UInt8>
    let size: ImageSize

    static let lanes = 32

    var stride: Int { (size.width + Self.lanes - 1) / Self.lanes * Self.lanes }
    /// Bytes of one plane, and the distance to the next.
    var plane: Int { stride * size.height }
    var width: Int32 { Int32(size.width) }
    var height: Int32 { Int32(size.height) }
    var channels: [UnsafeMutablePointer<UInt8>] { [red, red + plane, red + 2 * plane] }

    init(_ buffer: AlignedBuffer, _ size: ImageSize) {
        self.size = size
        let stride = (size.width + Self.lanes - 1) / Self.lanes * Self.lanes
        red = buffer.reserve(3 * stride * size.height)
    }
}
