extension Canvas {
    /// Writes a part of the image as height × width × 3 interleaved bytes.
    /// - Parameters:
    ///   - box: inside the image.
    ///   - moves: how far from there red, green and blue are taken, as far as the image reaches; nowhere by default.
    func write(_ box: PixelBox, moves: [(x: Int, y: Int)]? = nil, to output: UnsafeMutablePointer<UInt8>) {
        precondition(
            box.x >= 0 && box.y >= 0 && box.x + box.width <= size.width && box.y + box.height <= size.height,
            "the patch \(box) is not inside \(size)")
        let planes = self.planes()
        for (channel, plane) in planes.channels.enumerated() {
            let x = min(max(0, box.x + (moves?[channel].x ?? 0)), size.width - box.width)
            let y = min(max(0, box.y + (moves?[channel].y ?? 0)), size.height - box.height)
            for row in 0..<box.height {
                let from = plane + (y + row) * planes.stride + x
                let to = output + row * box.width * 3 + channel
                for column in 0..<box.width { to[3 * column] = from[column] }
            }
        }
    }
}

/// What is done to a patch by itself, height × width × 3 bytes.
struct PatchPixels {
    let pixels: UnsafeMutablePointer<UInt8>
    let side: Int

    /// Keeps one channel; the two others become Gaussian noise around mid-grey, of a hundredth of the kept one's deviation, rounded
    /// to whole levels (Doersch et al. 2015, section 3.1).
    func dropColours(keeping kept: Int, _ random: inout ViewRandom) {
        let count = side * side
        var (sum, squares) = (0, 0)
        for i in 0..<count {
            let value = Int(pixels[3 * i + kept])
            sum += value
            squares += value * value
        }
        let mean = Double(sum) / Double(count)
        let deviation = max(0, Double(squares) / Double(count) - mean * mean).squareRoot() / 100
        for i in 0..<count {
            for channel in 0..<3 where channel != kept {
                pixels[3 * i + channel] = UInt8(min(255, max(0, (128 + deviation * random.normal()).rounded())))
            }
        }
    }

    /// Makes the patch smaller and large again, so that its pixels show (same section).
    func pixelate(to small: Int, _ canvas: Canvas) {
        let bytes = [UInt8](UnsafeBufferPointer(start: pixels, count: side * side * 3))
        canvas.load(PixelImage(width: side, height: side, pixels: bytes), target: ImageSize(side))
        canvas.resize(to: ImageSize(small), .bilinear, antialias: true)
        canvas.resize(to: ImageSize(side), .bilinear, antialias: true)
        canvas.write(to: pixels)
    }
}
