/// What a view's random draws depend on, and all they depend on: the same key gives the same view, whatever thread
/// makes it, in whatever order, on whatever machine.
public struct ViewKey: Sendable, Hashable {
    public var seed: UInt64
    public var epoch: Int
    /// The sample's index in its dataset.
    public var index: Int
    /// Which of the sample's random streams: views of one sample differ by their stream.
    public var stream: Int

    public init(seed: UInt64, epoch: Int, index: Int, stream: Int) {
        self.seed = seed
        self.epoch = epoch
        self.index = index
        self.stream = stream
    }

    /// The generator of the `step`-th augmentation. Each has its own, so that an augmentation draws the same numbers
    /// whatever stands before it draws.
    public func random(step: Int = 0) -> ViewRandom {
        var hash = SplitMix64(state: seed)
        hash.absorb(UInt64(bitPattern: Int64(epoch)))
        hash.absorb(UInt64(bitPattern: Int64(index)))
        hash.absorb(UInt64(bitPattern: Int64(stream)))
        hash.absorb(UInt64(bitPattern: Int64(step)))
        return ViewRandom(seededBy: &hash)
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014): hashes keys and spreads them over a larger generator's state.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func absorb(_ word: UInt64) { state = next() ^ (word &* 0xd6e8_feb8_6659_fd93) }
}
