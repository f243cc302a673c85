extension FloatImage {
    /// Nearer to each channel's mean.
    func contrast(factor: Double) -> FloatImage {
        var means = [Double](repeating: 0, count: channels)
        for place in values.indices { means[place % channels] += values[place] }
        for channel in 0..<channels { means[channel] /= Double(width * height) }
        var result = self
        for place in values.indices { result.values[place] = (values[place] - means[place % channels]) * factor + means[place % channels] }
        return result
    }

    /// HSV's value raised.
    func brightness(adding amount: Double) -> FloatImage { throughHSV { $0.value = min(max($0.value + amount, 0), 1) } }

    /// HSV's saturation scaled and raised.
    func saturation(factor: Double, adding shift: Double) -> FloatImage {
        throughHSV { $0.saturation = min(max($0.saturation * factor + shift, 0), 1) }
    }

    private func throughHSV(_ change: (inout HSV) -> Void) -> FloatImage {
        var result = self
        for place in stride(from: 0, to: values.count, by: 3) {
            var colour = HSV(values[place], values[place + 1], values[place + 2])
            change(&colour)
            (result.values[place], result.values[place + 1], result.values[place + 2]) = colour.rgb
        }
        return result
    }
}

/// Hue in turns, saturation and value (Smith 1978).
private struct HSV {
    var hue = 0.0
    var saturation = 0.0
    var value: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        value = max(red, green, blue)
        let range = value - min(red, green, blue)
        guard range > 0 else { return }
        saturation = range / value
        let sixths = blue == value ? 4 + (red - green) / range : green == value ? 2 + (blue - red) / range : (green - blue) / range
        hue = sixths / 6
        if hue < 0 { hue += 1 }
    }

    var rgb: (Double, Double, Double) {
        let sector = (hue * 6).rounded(.down)
        let rest = hue * 6 - sector
        let low = value * (1 - saturation)
        let falling = value * (1 - rest * saturation)
        let rising = value * (1 - (1 - rest) * saturation)
        switch Int(sector) % 6 {
        case 0: return (value, rising, low)
        case 1: return (falling, value, low)
        case 2: return (low, value, rising)
        case 3: return (low, falling, value)
        case 4: return (rising, low, value)
        default: return (value, low, falling)
        }
    }
}
