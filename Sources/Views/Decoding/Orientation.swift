/// How a stored picture has to be turned to be looked at: the EXIF (and TIFF) orientation tag.
enum Orientation: Int {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedRight, transversed, turnedLeft

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= 5 }

    /// The stored picture as it is meant to be seen.
    func applied(to image: PixelImage) -> PixelImage {
        guard self != .upright else { return image }
        let (w, h) = (image.width, image.height)
        // Where in the stored picture the upper left pixel of the seen one lies, and how far apart its neighbours to the
        // right and below are, in pixels.
        let (first, right, down) =
            switch self {
            case .upright: (0, 1, w)
            case .mirrored: (w - 1, -1, w)
            case .upsideDown: (w * h - 1, -1, -w)
            case .flipped: (w * (h - 1), 1, -w)
            case .transposed: (0, w, 1)
            case .turnedRight: (w * (h - 1), -w, 1)
            case .transversed: (w * h - 1, -w, -1)
            case .turnedLeft: (w - 1, w, -1)
            }
        let (width, height) = swapsSides ? (h, w) : (w, h)
        let pixels = [UInt8](unsafeUninitializedCapacity: w * h * PixelImage.channels) { seen, count in
            image.pixels.withUnsafeBufferPointer { stored in
                var to = 0
                for y in 0..<height {
                    var from = (first + y * down) * PixelImage.channels
                    for _ in 0..<width {
                        seen[to] = stored[from]
                        seen[to + 1] = stored[from + 1]
                        seen[to + 2] = stored[from + 2]
                        to += PixelImage.channels
                        from += right * PixelImage.channels
                    }
                }
            }
            count = w * h * PixelImage.channels
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }
}
