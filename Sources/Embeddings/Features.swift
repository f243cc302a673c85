public import Torch

/// What an encoder makes of a split of a data set: one row per image.
public struct Features {
    /// [n, d] float32.
    public var matrix: Tensor
    /// n class indices; −1 for an image without a label.
    public var labels: [Int]
    /// n names, such as file paths; empty when there are none.
    public var names: [String]
    /// Class names by index.
    public var classNames: [String]

    public init(matrix: Tensor, labels: [Int], names: [String] = [], classNames: [String]) {
        self.matrix = matrix
        self.labels = labels
        self.names = names
        self.classNames = classNames
    }

    public var count: Int { labels.count }
    public var width: Int { matrix.size(1) }

    /// Checks that the parts fit each other.
    /// - Parameter what: what to call them in a message, such as `the training features`.
    /// - Throws: `FeatureError` `.shape`, `.notFinite` or `.labels`.
    public func check(_ what: String) throws(FeatureError) {
        try checkFeatures(matrix, what)
        let rows = matrix.size(0)
        guard labels.count == rows else {
            throw FeatureError(.labels, "\(what) have \(rows) rows but \(labels.count) labels")
        }
        guard names.isEmpty || names.count == rows else {
            throw FeatureError(.labels, "\(what) have \(rows) rows but \(names.count) names")
        }
        if let row = labels.firstIndex(where: { $0 < -1 || $0 >= classNames.count }) {
            throw FeatureError(
                .labels,
                "\(what) have the label \(labels[row]) in row \(row), but \(classNames.count) class names (−1 stands for no label)")
        }
    }

    /// Some of the rows, in the given order.
    public func picked(_ rows: [Int]) -> Features {
        Features(
            matrix: matrix.rows(Tensor(rows).to(matrix.device)), labels: rows.map { labels[$0] },
            names: names.isEmpty ? [] : rows.map { names[$0] }, classNames: classNames)
    }

    /// The rows that have a label; itself when all have.
    public var labelled: Features {
        let rows = labels.indices.filter { labels[$0] >= 0 }
        return rows.count == count ? self : picked(rows)
    }

    /// A fifth of each class for testing and the rest for training, when there is no test split. A class of one image is
    /// trained on only.
    public func dividedForTest(seed: UInt64) throws(FeatureError) -> (train: Features, test: Features) {
        let known = labelled
        let (fit, held) = HoldOut.stratified(known.labels, share: 0.2, seed: seed)
        guard !held.isEmpty else { throw FeatureError(.tooFewRows, "no class has two labelled images: there is nothing to test on") }
        return (known.picked(fit), known.picked(held))
    }

    /// Images per class.
    public var classCounts: [Int] {
        var counts = [Int](repeating: 0, count: classNames.count)
        for label in labels where label >= 0 { counts[label] += 1 }
        return counts
    }
}
