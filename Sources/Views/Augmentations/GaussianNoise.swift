import CPixels

/// Adds independent normal noise to every value of every channel, with probability `p` (SimCLR, Fig. 4).
public struct GaussianNoise: AugmentationStep {
    public static let name = "gaussianNoise"

    /// Standard deviation as a share of the full range of grey levels.
    public var std = 0.1
    public var p = 0.5

    public init() {}

    public init(std: Double, p: Double) {
        self.std = std
        self.p = p
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case std, p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.std, &std)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.holds(std >= 0 && std <= 1, "std is \(std), but must lie in 0…1 (of the full range)")
        try Self.check.probability(p)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p) { canvas.addNoise(std: std, random: &random) }
    }

    /// The normal distribution's quantiles in the middles of 4096 equal parts: a table look-up with 12 random bits is
    /// many times faster than an exact draw, and whole grey levels do not show the difference.
    fileprivate static let quantiles: [Double] = {
        let half = 2048
        var upper: [Double] = []
        var z = 0.0
        var probability = 0.0
        let step = 1e-4
        for i in 0..<half {
            let wanted = (Double(i) + 0.5) / Double(2 * half)
            while probability < wanted {
                let middle = z + step / 2
                probability += step * 0.39894228040143267794 * PortableMath.exp(-0.5 * middle * middle)
                z += step
            }
            upper.append(z)
        }
        let variance = upper.reduce(0) { $0 + $1 * $1 } / Double(half)
        let unit = 1 / variance.squareRoot()
        return upper.reversed().map { -$0 * unit } + upper.map { $0 * unit }
    }()
}

extension Canvas {
    func addNoise(std: Double, random: inout ViewRandom) {
        let planes = self.planes()
        let levels = GaussianNoise.quantiles.map { Int16(($0 * std * 255).rounded()) }
        let count = 3 * planes.plane
        let noise = UnsafeMutableRawPointer(workspace(count * 2)).assumingMemoryBound(to: Int16.self)
        levels.withUnsafeBufferPointer { levels in
            var i = 0
            while i < count {
                var bits = random.next()
                for _ in 0..<min(5, count - i) {
                    noise[i] = levels[Int(bits & 4095)]
                    bits >>= 12
                    i += 1
                }
            }
        }
        pixels_add(planes.red, count, noise)
    }
}
