/// What corruptions draw from: `ViewRandom`, or in tests numbers that a reference drew as well.
protocol CorruptionRandom {
    /// In [0, 1).
    mutating func uniform() -> Double
    /// Standard normal.
    mutating func normal() -> Double
}

extension ViewRandom: CorruptionRandom {}

extension CorruptionRandom {
    mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// In `low ..< high`, each equally likely up to 2⁻⁵³.
    mutating func integer(_ low: Int, _ high: Int) -> Int { low + Int(uniform() * Double(high - low)) }

    mutating func normals(_ count: Int, mean: Double, std: Double) -> [Double] { (0..<count).map { _ in mean + std * normal() } }
    mutating func uniforms(_ count: Int, _ low: Double, _ high: Double) -> [Double] { (0..<count).map { _ in uniform(low, high) } }
}
