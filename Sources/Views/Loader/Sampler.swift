/// The order in which an epoch visits the samples.
public enum Sampler {
    /// A permutation of `0 ..< count` that depends on the seed and the epoch only, the same on every platform.
    public static func shuffled(_ count: Int, seed: UInt64, epoch: Int) -> [Int] {
        var random = ViewKey(seed: seed, epoch: epoch, index: -1, stream: -3).random()
        return random.permutation(count)
    }
}
