/// Pictures of one size that stand one after another, channel by channel, as the classic sets store them.
struct PackedPictures: Sendable {
    let width: Int
    let height: Int
    /// 3, or 1 for grey, which is repeated.
    let channels: Int
    /// Whether each channel is stored column by column (Matlab) instead of row by row.
    var isColumnMajor = false

    var byteCount: Int { width * height * channels }

    /// - Precondition: `stored.count == byteCount`.
    func image(_ stored: UnsafeRawBufferPointer) -> PixelImage {
        precondition(stored.count == byteCount, "not a whole picture")
        let area = width * height
        let (right, down) = isColumnMajor ? (height, 1) : (1, width)
        let pixels = [UInt8](unsafeUninitializedCapacity: area * PixelImage.channels) { rgb, count in
            for channel in 0..<PixelImage.channels {
                let plane = min(channel, channels - 1) * area
                var to = channel
                for y in 0..<height {
                    for x in 0..<width {
                        rgb[to] = stored[plane + y * down + x * right]
                        to += PixelImage.channels
                    }
                }
            }
            count = area * PixelImage.channels
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }

    /// "train/000123"
    static func name(_ part: DatasetPart, _ index: Int) -> String {
        let digits = String(index)
        return "\(part.rawValue)/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
