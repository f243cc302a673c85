extension FloatImage {
    /// A cloud of `thickness` over the image, scaled back to the range.
    func fog(_ setting: (thickness: Double, decay: Double), _ random: inout some CorruptionRandom) -> FloatImage {
        let cloud = Plasma(atLeast: max(width, height, channels), decay: setting.decay, &random)
        let brightest = values.max() ?? 1
        return overlaid { value, x, y, _ in (value + setting.thickness * cloud[y, x]) * brightest / (brightest + setting.thickness) }
    }

    /// White flakes, driven by wind, over a paler image.
    func snow(_ setting: CorruptionTable.Snow, _ random: inout some CorruptionRandom) -> FloatImage {
        let flakes = FloatImage(
            width: width, height: height, layer: random.normals(width * height, mean: setting.mean, std: setting.std)
        ).zoomed(setting.zoom).map { $0 < setting.threshold ? 0 : min(max($0, 0), 1) }
        let layer = flakes.motionBlur(radius: setting.radius, sigma: setting.sigma, degrees: random.uniform(-135, -45))
            .map { ($0 * 255).rounded(.toNearestOrEven) / 255 }.values
        var result = self
        for place in 0..<width * height {
            let (red, green, blue) = (values[3 * place], values[3 * place + 1], values[3 * place + 2])
            let pale = (0.299 * red + 0.587 * green + 0.114 * blue) * 1.5 + 0.5
            // The flakes once more, turned by half.
            let snow = layer[place] + layer[width * height - 1 - place]
            for channel in 0..<3 {
                let value = values[3 * place + channel]
                result.values[3 * place + channel] = setting.clear * value + (1 - setting.clear) * max(value, pale) + snow
            }
        }
        return result
    }

    /// Crystals over the image. The benchmark lays photographs of frost over it; these are ridges of plasma in bluish white, with
    /// the published shares of image and frost, so numbers are not comparable.
    func frost(_ setting: (image: Double, frost: Double), _ random: inout some CorruptionRandom) -> FloatImage {
        let side = max(width, height, channels)
        let coarse = Plasma(atLeast: side, decay: 1.8, &random)
        let fine = Plasma(atLeast: side, decay: 1.3, &random)
        let tint = [0.86, 0.95, 1.0]
        return overlaid { value, x, y, channel in
            // Ridges: bright where a field passes through its middle.
            let ridges = 1 - abs(2 * coarse[y, x] - 1)
            let needles = 1 - abs(2 * fine[y, x] - 1)
            let ice = ridges * ridges * (0.35 + 0.65 * needles * needles)
            return setting.image * value + setting.frost * ice * tint[channel]
        }
    }

    private func overlaid(_ body: (_ value: Double, _ x: Int, _ y: Int, _ channel: Int) -> Double) -> FloatImage {
        var result = self
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels {
                    let place = (y * width + x) * channels + channel
                    result.values[place] = body(values[place], x, y, channel)
                }
            }
        }
        return result
    }
}

/// A height map by the diamond-square algorithm (Fournier, Fussell & Carpenter 1982) on a torus, 0 … 1.
struct Plasma {
    let side: Int
    private var heights: [Double]

    /// - Parameters:
    ///   - atLeast: the side is the next power of two.
    ///   - decay: by how much the noise shrinks with each halving of the scale.
    init(atLeast wanted: Int, decay: Double, _ random: inout some CorruptionRandom) {
        var side = 1
        while side < wanted { side *= 2 }
        self.side = side
        heights = [Double](repeating: 0, count: side * side)
        var step = side
        var strength = 100.0
        while step >= 2 {
            let half = step / 2
            // Middles of squares from their corners, then both kinds of diamonds' middles from their points.
            fill(half, half, step, strength, &random, around: [(-half, -half), (-half, half), (half, -half), (half, half)])
            let diamond = [(-half, 0), (half, 0), (0, -half), (0, half)]
            fill(0, half, step, strength, &random, around: diamond)
            fill(half, 0, step, strength, &random, around: diamond)
            step = half
            strength /= decay
        }
        let (low, high) = (heights.min()!, heights.max()!)
        if high > low { heights = heights.map { ($0 - low) / (high - low) } }
    }

    subscript(y: Int, x: Int) -> Double { heights[y * side + x] }

    private mutating func fill(
        _ top: Int, _ left: Int, _ step: Int, _ strength: Double, _ random: inout some CorruptionRandom, around: [(y: Int, x: Int)]
    ) {
        for y in stride(from: top, to: side, by: step) {
            for x in stride(from: left, to: side, by: step) {
                let sum = around.reduce(0) { $0 + heights[(y + $1.y + side) % side * side + (x + $1.x + side) % side] }
                heights[y * side + x] = sum / 4 + strength * random.uniform(-strength, strength)
            }
        }
    }
}
