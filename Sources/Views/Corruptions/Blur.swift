extension FloatImage {
    /// A disk's blur: what a lens out of focus does.
    func defocusBlur(_ setting: (radius: Double, rim: Double)) -> FloatImage {
        let reach = setting.radius <= 8 ? 8 : Int(setting.radius)
        var disk = (-reach...reach).map { y in
            (-reach...reach).map { x in Double(x * x + y * y) <= setting.radius * setting.radius ? 1.0 : 0 }
        }
        let area = disk.joined().reduce(0, +)
        disk = disk.map { $0.map { $0 / area } }
        // The rim is smoothed with 3 or 5 taps, whatever its σ.
        let taps = setting.radius <= 8 ? 1 : 2
        let weights = (-taps...taps).map { PortableMath.exp(-0.5 * Double($0 * $0) / (setting.rim * setting.rim)) }
        let sum = weights.reduce(0, +)
        let kernel = weights.map { $0 / sum }
        let side = 2 * reach + 1
        let smooth = FloatImage(width: side, height: side, layer: Array(disk.joined()))
            .filtered(vertical: kernel, horizontal: kernel, .mirror)
        return correlated((0..<side).map { Array(smooth.values[$0 * side..<($0 + 1) * side]) })
    }

    /// Seen through rough glass: blurred, pixels moved about, blurred again.
    func glassBlur(_ setting: CorruptionTable.Glass, _ random: inout some CorruptionRandom) -> FloatImage {
        var x = gaussian(sigma: setting.sigma).map { ($0 * 255).rounded(.down) / 255 }
        let reach = setting.reach
        guard height > 2 * reach, width > 2 * reach else { return x }
        for _ in 0..<setting.rounds {
            for row in stride(from: height - reach, to: reach, by: -1) {
                for column in stride(from: width - reach, to: reach, by: -1) {
                    let dx = random.integer(-reach, reach)
                    let dy = random.integer(-reach, reach)
                    // The paper swaps the two; its code, and so the published images, copies the second to the first.
                    let (to, from) = ((row * width + column) * channels, ((row + dy) * width + column + dx) * channels)
                    for channel in 0..<channels { x.values[to + channel] = x.values[from + channel] }
                }
            }
        }
        return x.gaussian(sigma: setting.sigma)
    }

    /// Half a Gaussian along a line of 2·radius + 1 pixels, in whole steps.
    func motionBlur(radius: Int, sigma: Double, degrees: Double) -> FloatImage {
        let count = 2 * radius + 1
        let weights = (0..<count).map { PortableMath.exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let sum = weights.reduce(0, +)
        let (sine, cosine) = PortableMath.sineAndCosine(degrees * .pi / 180)
        var result = self
        result.values = [Double](repeating: 0, count: values.count)
        for step in 0..<count {
            let dy = -Int((Double(step) * sine - 0.5).rounded(.up))
            let dx = -Int((Double(step) * cosine - 0.5).rounded(.up))
            if abs(dy) >= height || abs(dx) >= width { break }
            let weight = weights[step] / sum
            for y in 0..<height {
                let from = Border.nearest(y - dy, height) * width
                for x in 0..<width {
                    let source = (from + Border.nearest(x - dx, width)) * channels
                    let place = (y * width + x) * channels
                    for channel in 0..<channels { result.values[place + channel] += weight * values[source + channel] }
                }
            }
        }
        return result
    }

    /// The mean of the image and of enlargements of it.
    func zoomBlur(_ setting: (end: Double, step: Double)) -> FloatImage {
        // NumPy's `arange` with its rounding, which decides whether the end belongs to the factors.
        let count = Int(((setting.end - 1) / setting.step).rounded(.up))
        let step = (1 + setting.step) - 1
        var sum = values
        for index in 0..<count {
            let layer = zoomed(1 + Double(index) * step)
            for place in sum.indices { sum[place] += layer.values[place] }
        }
        var result = self
        result.values = sum.map { $0 / Double(count + 1) }
        return result
    }
}
