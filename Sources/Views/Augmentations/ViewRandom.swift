/// A small generator whose numbers, and everything drawn from them here, are the same on every platform: xoshiro256++
/// (Blackman & Vigna 2021), seeded through SplitMix64 as its authors advise.
public struct ViewRandom: RandomNumberGenerator, Sendable {
    private var s0, s1, s2, s3: UInt64

    public init(seed: UInt64) {
        var hash = SplitMix64(state: seed)
        self.init(seededBy: &hash)
    }

    /// For tests against published numbers.
    init(state: (UInt64, UInt64, UInt64, UInt64)) { (s0, s1, s2, s3) = state }

    init(seededBy hash: inout SplitMix64) {
        s0 = hash.next()
        s1 = hash.next()
        s2 = hash.next()
        s3 = hash.next()
    }

    public mutating func next() -> UInt64 {
        let sum = s0 &+ s3
        let result = ((sum << 23) | (sum >> 41)) &+ s0
        let t = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = (s3 << 45) | (s3 >> 19)
        return result
    }

    /// In [0, 1), with 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// True with probability `p`; never for 0, always for 1. Draws in any case, so that what follows does not shift.
    public mutating func bernoulli(_ p: Double) -> Bool { uniform() < p }

    /// In `0 ..< bound`, each equally likely (Lemire 2019, multiplication with rejection).
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "integer(below:) needs a positive bound")
        let bound = UInt64(bound)
        var (high, low) = next().multipliedFullWidth(by: bound)
        if low < bound {
            let threshold = (0 &- bound) % bound
            while low < threshold { (high, low) = next().multipliedFullWidth(by: bound) }
        }
        return Int(high)
    }

    /// Standard normal (Marsaglia's polar method; the second value is thrown away, to keep no state).
    public mutating func normal() -> Double {
        while true {
            let x = 2 * uniform() - 1
            let y = 2 * uniform() - 1
            let square = x * x + y * y
            if square > 0, square < 1 { return x * (-2 * PortableMath.log(square) / square).squareRoot() }
        }
    }

    /// Gamma with shape `alpha` and scale 1 (Marsaglia & Tsang 2000; for shapes below 1 through shape + 1).
    public mutating func gamma(_ alpha: Double) -> Double {
        if alpha < 1 {
            let power = PortableMath.log(1 - uniform()) / alpha
            return gamma(alpha + 1) * PortableMath.exp(power)
        }
        let d = alpha - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            if root <= 0 { continue }
            let v = root * root * root
            if PortableMath.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * PortableMath.log(v) { return d * v }
        }
    }

    /// Beta(a, b) as Γa / (Γa + Γb).
    public mutating func beta(_ a: Double, _ b: Double) -> Double {
        let x = gamma(a)
        let y = gamma(b)
        // Both underflow for tiny shapes, where Beta is next to a coin toss.
        return x + y > 0 ? x / (x + y) : (bernoulli(a / (a + b)) ? 1 : 0)
    }

    /// Fisher–Yates: every order equally likely.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for i in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(i, integer(below: i + 1)) }
    }

    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }
}
