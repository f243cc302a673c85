/// Applies one pair of operations, drawn from a list of 25 that was learned on a data set (Cubuk et al. 2018).
/// torchvision's `AutoAugment`.
public struct AutoAugment: AugmentationStep {
    public static let name = "autoAugment"

    public enum Policy: String, Codable, Sendable, CaseIterable { case imageNet, cifar10 }

    public var policy = Policy.imageNet
    public var fill: UInt8 = 0

    public init() {}

    public init(policy: Policy, fill: UInt8 = 0) {
        self.policy = policy
        self.fill = fill
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case policy, fill }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.policy, &policy)
        try settings.read(.fill, &fill)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let pair = policy.pairs[random.integer(below: policy.pairs.count)]
        // Both operations' draws come first, so that the second's do not depend on the first's.
        let first = (acts: random.bernoulli(pair.0.p), negative: random.bernoulli(0.5))
        let second = (acts: random.bernoulli(pair.1.p), negative: random.bernoulli(0.5))
        for (entry, draw) in [(pair.0, first), (pair.1, second)] where draw.acts {
            let magnitude = entry.operation.magnitude(bin: entry.bin, of: 10, size: canvas.size)
            entry.operation.apply(
                to: canvas, magnitude: draw.negative && entry.operation.isSigned ? -magnitude : magnitude, fill: fill)
        }
    }

    /// An operation, its probability, and its magnitude on a scale of 0 … 9 (0 where it has none).
    public struct Entry: Sendable, Equatable {
        public let operation: PolicyOperation
        public let p: Double
        public let bin: Int
    }
}
