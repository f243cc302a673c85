/// Draws some of many, the same ones in every run.
public enum RandomSubset {
    /// `limit` of the numbers below `count`, ascending, every choice equally likely; all of them when there are no more.
    public static func indices(of count: Int, limit: Int?, seed: UInt64) -> [Int] {
        guard let limit, limit < count else { return Array(0..<max(0, count)) }
        var numbers = Numbers(state: seed)
        var needed = max(0, limit)
        var chosen: [Int] = []
        chosen.reserveCapacity(needed)
        // Knuth's selection sampling (The Art of Computer Programming, volume 2, 3.4.2, algorithm S).
        for index in 0..<count where needed > 0 {
            if Int.random(in: 0..<count - index, using: &numbers) < needed {
                chosen.append(index)
                needed -= 1
            }
        }
        return chosen
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
