/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": 64 bits of state, the same numbers on
/// every platform and with every version of the standard library.
///
/// Bounded integers, shuffles and picks are our own as well, because the standard library does not promise that its
/// algorithms stay the same.
public struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    public private(set) var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0 ..< bound, without bias (Lemire 2019).
    /// - Precondition: bound > 0.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "no integer is below \(bound) and not negative")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let least = (0 &- range) % range
            while product.low < least { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// A random order of 0 ..< count (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }

    public mutating func shuffle<Element>(_ values: inout [Element]) {
        guard values.count > 1 else { return }
        for last in stride(from: values.count - 1, to: 0, by: -1) { values.swapAt(last, below(last + 1)) }
    }

    /// `count` different integers of 0 ..< bound, in random order (Floyd's choice, then a shuffle).
    /// - Precondition: count ≤ bound.
    public mutating func distinct(_ count: Int, below bound: Int) -> [Int] {
        precondition(count <= bound, "\(count) different integers below \(bound) do not exist")
        var chosen: Set<Int> = []
        var order: [Int] = []
        for last in bound - count..<bound {
            let pick = below(last + 1)
            let taken = chosen.contains(pick) ? last : pick
            chosen.insert(taken)
            order.append(taken)
        }
        shuffle(&order)
        return order
    }
}
