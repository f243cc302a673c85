/// Frames in or out of their order, and which order it is.
///
/// `order`: a few frames at equal distances in any of their orders; an order and its reverse count as the same one, because most
/// movements could go either way (Lee et al. 2017, section 3). `verification`: three frames in their order or not: of five at equal
/// distances, a < b < c < d < e, a quarter of the samples shows (b, c, d), the others (b, a, d) or (b, e, d), any of them perhaps
/// reversed (Misra et al. 2016, section 3.2). `arrow`: frames forwards or backwards (Wei et al. 2018).
public struct FrameOrder: ClipTask, Equatable {
    public enum Question: String, Codable, Sendable, CaseIterable {
        case order, verification, arrow
    }

    public static let label = "order"

    public let question: Question
    public let length: Int
    /// Frames from one to the next.
    public let stride: Int
    /// Those of `order` that are told apart: for each, which frame each place shows.
    public let orders: [[Int]]

    /// - Parameter frames: of `order` and `arrow`; `verification` has three.
    public init(_ question: Question, frames: Int, stride: Int) {
        self.question = question
        length = question == .verification ? 3 : frames
        self.stride = stride
        orders = question == .order && (2...5).contains(frames) ? Self.orders(of: frames) : []
    }

    /// All orders in lexicographic order, without those whose reverse came before.
    static func orders(of count: Int) -> [[Int]] {
        var all: [[Int]] = []
        func extend(_ order: [Int]) {
            if order.count == count, order[0] < order[count - 1] { all.append(order) }
            for next in 0..<count where !order.contains(next) { extend(order + [next]) }
        }
        extend([])
        return all
    }

    public var leastFrames: Int { (question == .verification ? 4 : length - 1) * stride + 1 }
    public var labels: [String] { [Self.label] }
    /// Values of the label.
    public var classes: Int { question == .order ? orders.count : 2 }

    public func plan(_ count: Int, _ random: inout ViewRandom) -> ClipPlan {
        let start = random.integer(below: count - leastFrames + 1)
        let value: Int
        var places: [Int]
        switch question {
        case .order:
            value = random.integer(below: orders.count)
            places = orders[value]
        case .verification:
            value = random.bernoulli(0.25) ? 1 : 0
            places = [1, value == 1 ? 2 : 4 * random.integer(below: 2), 3]
        case .arrow:
            value = 0
            places = Array(0..<length)
        }
        let isReversed = random.bernoulli(0.5)
        if isReversed { places.reverse() }
        return ClipPlan(frames: places.map { start + $0 * stride }, labels: [question == .arrow ? (isReversed ? 1 : 0) : value])
    }

    public func meaning(of label: String, _ value: Int) -> String {
        switch question {
        case .order: orders[value].map { "\($0 + 1)" }.joined(separator: " ") + ", or back"
        case .verification: value == 1 ? "in order" : "out of order"
        case .arrow: value == 0 ? "forwards" : "backwards"
        }
    }

    public func validate() throws(AugmentationError) {
        let check = Check(augmentation: "frame order")
        if question == .order { try check.holds((3...5).contains(length), "of 3 to 5 frames, not \(length)") }
        try check.holds(length >= 2, "of 2 frames or more, not \(length)")
        try check.holds(stride >= 1, "the stride is \(stride), but must be at least 1")
    }
}
