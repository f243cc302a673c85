extension PixelImage {
    /// Through JPEG and back.
    func compressed(quality: Int) -> PixelImage {
        do {
            return try ImageDecoder().decode(ImageEncoder.jpeg(self, quality: quality))
        } catch {
            // A view's sides are far below JPEG's limit.
            fatalError("jpeg compression: \(error)")
        }
    }

    /// Averaged down to a share of the sides, and each mean spread again.
    func pixelated(share: Double) -> PixelImage {
        let small = (width: max(1, Int(Double(width) * share)), height: max(1, Int(Double(height) * share)))
        return boxResized(to: small.width, small.height).boxResized(to: width, height)
    }

    /// Means of the pixels whose middles lie in each box, columns first, rounded after either (Pillow's `BOX`).
    func boxResized(to newWidth: Int, _ newHeight: Int) -> PixelImage {
        func ranges(_ count: Int, _ wanted: Int) -> [Range<Int>] {
            let scale = Double(count) / Double(wanted)
            let support = 0.5 * max(scale, 1)
            return (0..<wanted).map { place in
                let middle = (Double(place) + 0.5) * scale
                let (low, high) = (max(0, Int(middle - support + 0.5)), min(count, Int(middle + support + 0.5)))
                // The box is open below and closed above.
                let inside = (low..<max(high, low + 1)).filter {
                    let distance = (Double($0) - middle + 0.5) / max(scale, 1)
                    return distance > -0.5 && distance <= 0.5
                }
                return inside.isEmpty ? low..<low + 1 : inside.first!..<inside.last! + 1
            }
        }
        let channels = Self.channels
        let (columns, rows) = (ranges(width, newWidth), ranges(height, newHeight))
        var narrow = [UInt8](repeating: 0, count: newWidth * height * channels)
        for y in 0..<height {
            for (x, range) in columns.enumerated() {
                for channel in 0..<channels {
                    let sum = range.reduce(0) { $0 + Int(pixels[(y * width + $1) * channels + channel]) }
                    narrow[(y * newWidth + x) * channels + channel] = UInt8((Double(sum) / Double(range.count)).rounded())
                }
            }
        }
        var result = [UInt8](repeating: 0, count: newWidth * newHeight * channels)
        for (y, range) in rows.enumerated() {
            for x in 0..<newWidth * channels {
                let sum = range.reduce(0) { $0 + Int(narrow[$1 * newWidth * channels + x]) }
                result[y * newWidth * channels + x] = UInt8((Double(sum) / Double(range.count)).rounded())
            }
        }
        return PixelImage(width: newWidth, height: newHeight, pixels: result)
    }
}

extension FloatImage {
    /// Three points moved at random with the whole image, then each pixel by a smooth random field (Simard et al. 2003).
    func elasticTransform(_ setting: CorruptionTable.Elastic, _ random: inout some CorruptionRandom) -> FloatImage {
        let moves = random.uniforms(6, -setting.affine, setting.affine)
        let count = width * height
        func field(_ values: [Double]) -> [Double] {
            FloatImage(width: width, height: height, layer: values).gaussian(sigma: setting.sigma, .reflect, truncate: 3).values
                .map { $0 * setting.alpha }
        }
        let dx = field(random.uniforms(count, -1, 1))
        let dy = field(random.uniforms(count, -1, 1))
        return affine(moves).displaced(dx: dx, dy: dy)
    }

    /// The affine map that moves three points around the middle by `moves` (x, y, x, y, x, y).
    private func affine(_ moves: [Double]) -> FloatImage {
        // As the authors' code, whose middle is (height, width) where (x, y) is meant.
        let (a, b) = (Double(height / 2), Double(width / 2))
        let side = Double(min(height, width) / 3)
        let from = [(a + side, b + side), (a + side, b - side), (a - side, b - side)]
        let to = from.enumerated().map { ($1.0 + moves[2 * $0], $1.1 + moves[2 * $0 + 1]) }
        // The result's (x, y) comes from p₀ + s·(p₁ − p₀) + t·(p₂ − p₀), with (s, t) its coordinates among the moved points.
        let (u, v) = ((to[1].0 - to[0].0, to[1].1 - to[0].1), (to[2].0 - to[0].0, to[2].1 - to[0].1))
        let determinant = u.0 * v.1 - u.1 * v.0
        guard abs(determinant) > 1e-12 else { return self }
        let (p, q) = ((from[1].0 - from[0].0, from[1].1 - from[0].1), (from[2].0 - from[0].0, from[2].1 - from[0].1))
        var result = self
        for y in 0..<height {
            for x in 0..<width {
                let (rx, ry) = (Double(x) - to[0].0, Double(y) - to[0].1)
                let s = (rx * v.1 - ry * v.0) / determinant
                let t = (u.0 * ry - u.1 * rx) / determinant
                let place = (y * width + x) * channels
                sample(from[0].1 + s * p.1 + t * q.1, from[0].0 + s * p.0 + t * q.0, .mirror) { result.values[place + $0] = $1 }
            }
        }
        return result
    }

    /// Each pixel from where it is moved to.
    func displaced(dx: [Double], dy: [Double]) -> FloatImage {
        var result = self
        for y in 0..<height {
            for x in 0..<width {
                let place = y * width + x
                sample(Double(y) + dy[place], Double(x) + dx[place], .reflect) { result.values[place * channels + $0] = $1 }
            }
        }
        return result
    }
}
