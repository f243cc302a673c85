extension FloatImage {
    /// Gaussian blur with σ in pixels, each channel by itself, the kernel cut at ⌊`truncate` · σ + ½⌋ (scipy's
    /// `gaussian_filter`). σ = 0 changes nothing.
    func gaussian(sigma: Double, _ border: Border = .nearest, truncate: Double = 4) -> FloatImage {
        gaussian(sigmaY: sigma, sigmaX: sigma, border, truncate: truncate)
    }

    func gaussian(sigmaY: Double, sigmaX: Double, _ border: Border, truncate: Double) -> FloatImage {
        filtered(vertical: Self.gaussianKernel(sigmaY, truncate), horizontal: Self.gaussianKernel(sigmaX, truncate), border)
    }

    private static func gaussianKernel(_ sigma: Double, _ truncate: Double) -> [Double] {
        let radius = Int(truncate * sigma + 0.5)
        if sigma < 1e-15 || radius == 0 { return [1] }
        let weights = (-radius...radius).map { PortableMath.exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// Two odd, symmetric kernels, one after the other.
    func filtered(vertical: [Double], horizontal: [Double], _ border: Border) -> FloatImage {
        var result = self
        if vertical.count > 1 {
            result.values = [Double](repeating: 0, count: values.count)
            let (row, reach) = (width * channels, vertical.count / 2)
            for y in 0..<height {
                for (tap, weight) in vertical.enumerated() {
                    let source = border(y + tap - reach, height) * row
                    for x in 0..<row { result.values[y * row + x] += weight * values[source + x] }
                }
            }
        }
        if horizontal.count > 1 {
            let reach = horizontal.count / 2
            let source = result.values
            let places = (-reach..<width + reach).map { border($0, width) * channels }
            var line = [Double](repeating: 0, count: places.count * channels)
            for y in 0..<height {
                let start = y * width * channels
                for (place, from) in places.enumerated() {
                    for channel in 0..<channels { line[place * channels + channel] = source[start + from + channel] }
                }
                for x in 0..<width * channels {
                    var sum = 0.0
                    for tap in horizontal.indices { sum += horizontal[tap] * line[x + tap * channels] }
                    result.values[start + x] = sum
                }
            }
        }
        return result
    }

    /// The sum of `kernel`'s weights times the values under it, its middle at the result's place (cv2's `filter2D`).
    /// - Parameter kernel: rows of an odd number of weights, an odd number of rows.
    func correlated(_ kernel: [[Double]], _ border: Border = .mirror) -> FloatImage {
        let (reachY, reachX) = (kernel.count / 2, kernel[0].count / 2)
        let padded = picked(
            rows: (-reachY..<height + reachY).map { border($0, height) }, columns: (-reachX..<width + reachX).map { border($0, width) })
        var result = self
        result.values = [Double](repeating: 0, count: values.count)
        let row = width * channels
        result.values.withUnsafeMutableBufferPointer { out in
            padded.values.withUnsafeBufferPointer { source in
                for (dy, weights) in kernel.enumerated() {
                    for (dx, weight) in weights.enumerated() where weight != 0 {
                        for y in 0..<height {
                            let from = (y + dy) * padded.width * channels + dx * channels
                            for x in 0..<row { out[y * row + x] += weight * source[from + x] }
                        }
                    }
                }
            }
        }
        return result
    }

    /// Bilinear values of all channels at (y, x), beyond the edges as `border` says.
    @inline(__always)
    func sample(_ y: Double, _ x: Double, _ border: Border, _ body: (_ channel: Int, _ value: Double) -> Void) {
        let (top, left) = (y.rounded(.down), x.rounded(.down))
        let (dy, dx) = (y - top, x - left)
        let (y0, y1) = (border(Int(top), height), border(Int(top) + 1, height))
        let (x0, x1) = (border(Int(left), width), border(Int(left) + 1, width))
        for channel in 0..<channels {
            func at(_ y: Int, _ x: Int) -> Double { values[(y * width + x) * channels + channel] }
            body(channel, (1 - dy) * ((1 - dx) * at(y0, x0) + dx * at(y0, x1)) + dy * ((1 - dx) * at(y1, x0) + dx * at(y1, x1)))
        }
    }

    /// The middle enlarged to the image's size, bilinearly (ImageNet-C's `clipped_zoom`): ⌈side ⁄ factor⌉ pixels of each side are
    /// spread over ⌊side · factor⌉, ends on ends, and cut again. (SciPy leaves the last row black where rounding puts it 10⁻¹⁶
    /// beyond the end; here it is the end.)
    func zoomed(_ factor: Double) -> FloatImage {
        func plan(_ side: Int) -> (start: Int, count: Int, scale: Double, trim: Int) {
            let part = Int((Double(side) / factor).rounded(.up))
            let spread = Int((Double(part) * factor).rounded(.toNearestOrEven))
            return ((side - part) / 2, part, spread > 1 ? Double(part - 1) / Double(spread - 1) : 0, (spread - side) / 2)
        }
        let (rows, columns) = (plan(height), plan(width))
        var result = self
        for y in 0..<height {
            let fromY = min(Double(y + rows.trim) * rows.scale, Double(rows.count - 1)) + Double(rows.start)
            for x in 0..<width {
                let fromX = min(Double(x + columns.trim) * columns.scale, Double(columns.count - 1)) + Double(columns.start)
                sample(fromY, fromX, .nearest) { channel, value in result.values[(y * width + x) * channels + channel] = value }
            }
        }
        return result
    }
}
