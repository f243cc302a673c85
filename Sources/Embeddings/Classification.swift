/// What a classifier said about each image of a split, and what was right.
public struct Classification: Sendable, Equatable, Codable {
    /// n true classes, −1 for none. A class that training does not know has a number that is never predicted.
    public var labels: [Int]
    /// n lists of classes, best first: up to five, fewer with fewer classes.
    public var ranked: [[Int]]
    /// Names of all numbers in `labels` and `ranked`.
    public var classNames: [String]
    /// False when `ranked` stops before the fifth class although there are more: the votes of three neighbours rank three classes.
    public var ranksFive = true
    /// What a reader of the numbers should know, one line each.
    public var notes: [String]

    public init(labels: [Int], ranked: [[Int]], classNames: [String], ranksFive: Bool = true, notes: [String] = []) {
        precondition(labels.count == ranked.count, "\(labels.count) labels for \(ranked.count) predictions")
        self.labels = labels
        self.ranked = ranked
        self.classNames = classNames
        self.ranksFive = ranksFive
        self.notes = notes
    }

    /// n predicted classes.
    public var predictions: [Int] { ranked.map { $0.first ?? -1 } }

    /// Rows that have a label: those that count.
    public var scored: [Int] { labels.indices.filter { labels[$0] >= 0 } }

    /// Whether the true class is among the best `k`, for each labelled image in order: what a paired bootstrap compares.
    public func correct(within k: Int = 1) -> [Bool] { scored.map { ranked[$0].prefix(k).contains(labels[$0]) } }

    /// Accuracy with its 95 % Wilson interval; nil when no image has a label.
    public var top1: Interval? { Interval.wilson(correct()) }

    /// The true class among the best five (all, with fewer than five classes); nil when no image has a label, or five were not
    /// ranked.
    public var top5: Interval? { !ranksFive ? nil : Interval.wilson(correct(within: 5)) }

    /// [true class][predicted class] counts over the labelled images.
    public var confusion: [[Int]] { Metrics.confusion(labels, predictions, classes: classNames.count) }

    /// Accuracy of each class; nil for classes without images.
    public var perClass: [Double?] { Metrics.perClassAccuracy(labels, predictions, classes: classNames.count) }
}
