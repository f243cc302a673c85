/// A clip played at another speed, or with its time distorted, and how it was played.
///
/// Speeds: every r-th frame, r one of `rates` (Yao et al. 2020, section 3.1). With `distorts` three more (Jenni et al. 2020,
/// section 3.1): `random`, frames out of order; `periodic`, forwards to a turning point and back; `warped`, a speed that changes from
/// frame to frame. Wherever a sample lies in its clip, each label is as likely: it is taken from a random place of a window that the
/// slowest and the fastest fit into alike.
public struct Playback: ClipTask, Equatable {
    public static let label = "playback"
    private static let distortions = ["random order", "forwards and back", "warped"]

    public let length: Int
    public let rates: [Int]
    public let distorts: Bool

    public init(frames: Int, rates: [Int], distorts: Bool = false) {
        length = frames
        self.rates = rates
        self.distorts = distorts
    }

    public var leastFrames: Int { (length - 1) * (rates.max() ?? 1) + 1 }
    public var labels: [String] { [Self.label] }
    /// Values of the label: rates, then distortions.
    public var classes: Int { rates.count + (distorts ? Self.distortions.count : 0) }

    public func plan(_ count: Int, _ random: inout ViewRandom) -> ClipPlan {
        let value = random.integer(below: classes)
        let steps = self.steps(value, &random)
        // From the first frame on; of steps to and fro not the first is the earliest.
        var frames = steps.reduce(into: [0]) { $0.append($0.last! + $1) }
        if value == rates.count { frames = shuffled(frames, &random) }
        let (low, high) = (frames.min()!, frames.max()!)
        let window = random.integer(below: count - leastFrames + 1)
        let start = window + random.integer(below: leastFrames - (high - low)) - low
        return ClipPlan(frames: frames.map { start + $0 }, labels: [value])
    }

    /// From each frame to the next, `length` − 1.
    private func steps(_ value: Int, _ random: inout ViewRandom) -> [Int] {
        let rate = rates[value < rates.count ? value : random.integer(below: rates.count)]
        let even = [Int](repeating: rate, count: length - 1)
        switch value - rates.count {
        case 1:
            // Two steps forwards at least, and two back where there are so many.
            let turn = 2 + random.integer(below: max(1, length - 4))
            return even.enumerated().map { $0 < turn ? $1 : -$1 }
        case 2:
            while true {
                let steps = even.map { _ in rates[random.integer(below: rates.count)] }
                if Set(steps).count > 1 { return steps }
            }
        default: return even
        }
    }

    /// In an order that is neither the true one nor its reverse.
    private func shuffled(_ frames: [Int], _ random: inout ViewRandom) -> [Int] {
        while true {
            let order = random.permutation(frames.count)
            let made = order.map { frames[$0] }
            if made != frames, made != frames.reversed() { return made }
        }
    }

    public func meaning(of label: String, _ value: Int) -> String {
        value < rates.count ? "speed \(rates[value])" : Self.distortions[value - rates.count]
    }

    public func validate() throws(AugmentationError) {
        let check = Check(augmentation: "playback")
        try check.holds(length >= (distorts ? 4 : 2), "of \(distorts ? 4 : 2) frames or more, not \(length)")
        try check.holds(
            rates.count >= 2 && rates.allSatisfy { $0 >= 1 } && Set(rates).count == rates.count,
            "rates are \(rates), but must be two different numbers from 1 on or more")
    }
}
