/// Which frames of a clip a sample shows, in which order, and what is to be told of them.
public protocol ClipTask: Sendable {
    /// Frames of a sample: as many views.
    var length: Int { get }
    /// Of a clip that the task can be made of.
    var leastFrames: Int { get }
    /// The names of the numbers that are to be told.
    var labels: [String] { get }
    /// Frames of one group are augmented alike: of each frame its group, from 0.
    var groups: [Int] { get }

    /// - Parameter count: the clip's frames, `leastFrames` or more.
    /// - Returns: `length` frames, and a value of each label.
    func plan(_ count: Int, _ random: inout ViewRandom) -> ClipPlan

    /// What a label's value means, in a few words.
    func meaning(of label: String, _ value: Int) -> String

    /// Throws for settings that make no sense.
    func validate() throws(AugmentationError)
}

/// What a `ClipTask` drew.
public struct ClipPlan: Sendable, Equatable {
    public var frames: [Int]
    public var labels: [Int]

    public init(frames: [Int], labels: [Int] = []) {
        self.frames = frames
        self.labels = labels
    }
}

extension ClipTask {
    public var labels: [String] { [] }
    public var groups: [Int] { [Int](repeating: 0, count: length) }
    public func meaning(of label: String, _ value: Int) -> String { "\(value)" }
}

/// Successive frames, with nothing to be told: what is predicted or found again in them is the methods' own affair.
public struct ClipWindow: ClipTask, Equatable {
    public let length: Int
    /// Frames from one to the next.
    public let stride: Int

    public init(frames: Int, stride: Int) {
        length = frames
        self.stride = stride
    }

    public var leastFrames: Int { (length - 1) * stride + 1 }

    public func plan(_ count: Int, _ random: inout ViewRandom) -> ClipPlan {
        let start = random.integer(below: count - leastFrames + 1)
        return ClipPlan(frames: (0..<length).map { start + $0 * stride })
    }

    public func validate() throws(AugmentationError) {
        let check = Check(augmentation: "window")
        try check.holds(length >= 2, "of \(length) frames, but 2 are needed")
        try check.holds(stride >= 1, "the stride is \(stride), but must be at least 1")
    }
}

/// Two windows of the same clip, augmented each by itself; they are the likelier the nearer they are:
/// P(distance Δ) ∝ D + 1 − Δ for 0 ≤ Δ ≤ D (Qian et al. 2021, section 3.2, the decreasing linear distribution).
public struct ClipWindowPair: ClipTask, Equatable {
    /// Of each window.
    public let frames: Int
    public let stride: Int
    /// D; as far as the clip reaches when nil.
    public let farthest: Int?

    public init(frames: Int, stride: Int, farthest: Int? = nil) {
        self.frames = frames
        self.stride = stride
        self.farthest = farthest
    }

    public var length: Int { 2 * frames }
    public var leastFrames: Int { (frames - 1) * stride + 2 }
    public var groups: [Int] { (0..<length).map { $0 / frames } }

    public func plan(_ count: Int, _ random: inout ViewRandom) -> ClipPlan {
        let room = count - ((frames - 1) * stride + 1)
        let farthest = min(self.farthest ?? room, room)
        // One of 1 + 2 + … + (D + 1) equally likely numbers.
        var place = random.integer(below: (farthest + 1) * (farthest + 2) / 2)
        var distance = 0
        while place > farthest - distance {
            place -= farthest - distance + 1
            distance += 1
        }
        let first = random.integer(below: room - distance + 1)
        let isSwapped = random.bernoulli(0.5)
        let starts = isSwapped ? [first + distance, first] : [first, first + distance]
        return ClipPlan(frames: starts.flatMap { start in (0..<frames).map { start + $0 * stride } })
    }

    public func validate() throws(AugmentationError) {
        let check = Check(augmentation: "windows")
        try check.holds(frames >= 1, "of \(frames) frames, but 1 is needed")
        try check.holds(stride >= 1, "the stride is \(stride), but must be at least 1")
        try check.holds((farthest ?? 0) >= 0, "the distance cannot be negative")
    }
}
