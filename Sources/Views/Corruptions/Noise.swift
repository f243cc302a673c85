extension FloatImage {
    /// x + σ·n.
    func gaussianNoise(std: Double, _ random: inout some CorruptionRandom) -> FloatImage { map { $0 + std * random.normal() } }

    /// x + x·σ·n: more noise where there is more light.
    func speckleNoise(std: Double, _ random: inout some CorruptionRandom) -> FloatImage { map { $0 + $0 * std * random.normal() } }

    /// Black or white instead of a share of the values, each channel by itself.
    func impulseNoise(amount: Double, _ random: inout some CorruptionRandom) -> FloatImage {
        map { value in
            let drawn = random.uniform()
            return drawn < amount / 2 ? 0 : drawn < amount ? 1 : value
        }
    }
}

extension PixelImage {
    /// Poisson(x · photons) ⁄ photons: light arrives in quanta.
    func shotNoise(photons: Double, _ random: inout some CorruptionRandom) -> PixelImage {
        // Cumulative probabilities of each level that occurs. All that is more than white is white.
        let whitest = Int(photons.rounded(.up))
        var tables = [[Double]?](repeating: nil, count: 256)
        var result = self
        for place in pixels.indices {
            let level = Int(pixels[place])
            if tables[level] == nil { tables[level] = Self.poisson(mean: Double(level) / 255 * photons, most: whitest) }
            let drawn = random.uniform()
            let table = tables[level]!
            var (low, high) = (0, whitest)
            while low < high {
                let middle = (low + high) / 2
                if drawn < table[middle] { high = middle } else { low = middle + 1 }
            }
            result.pixels[place] = UInt8(min(Double(low) / photons, 1) * 255)
        }
        return result
    }

    /// P(N ≤ n) for n in 0 ..< most.
    private static func poisson(mean: Double, most: Int) -> [Double] {
        var probability = PortableMath.exp(-mean)
        var sum = 0.0
        return (0..<most).map { count in
            sum += probability
            probability *= mean / Double(count + 1)
            return sum
        }
    }
}
