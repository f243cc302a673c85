public import Torch

/// Counts of right and wrong. Labels are class indices; images labelled −1 do not count anywhere.
public enum Metrics {
    /// The share of labelled images whose class is predicted; NaN when there is none.
    public static func accuracy(_ labels: [Int], _ predictions: [Int]) -> Double {
        precondition(labels.count == predictions.count, "\(labels.count) labels for \(predictions.count) predictions")
        let scored = zip(labels, predictions).filter { $0.0 >= 0 }
        return Double(scored.count { $0.0 == $0.1 }) / Double(scored.count)
    }

    /// The share of labelled images whose class is among the first `k` of their ranking; NaN when there is none.
    public static func topAccuracy(_ k: Int, _ labels: [Int], ranked: [[Int]]) -> Double {
        precondition(labels.count == ranked.count, "\(labels.count) labels for \(ranked.count) rankings")
        let scored = zip(labels, ranked).filter { $0.0 >= 0 }
        return Double(scored.count { $0.1.prefix(k).contains($0.0) }) / Double(scored.count)
    }

    /// Counts of [true class][predicted class]. A prediction of −1 (none) is in no column.
    /// - Precondition: labels and predictions are below `classes`.
    public static func confusion(_ labels: [Int], _ predictions: [Int], classes: Int) -> [[Int]] {
        precondition(labels.count == predictions.count, "\(labels.count) labels for \(predictions.count) predictions")
        var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        for (label, prediction) in zip(labels, predictions) where label >= 0 && prediction >= 0 { counts[label][prediction] += 1 }
        return counts
    }

    /// The share of each class's images that are predicted as it; nil for a class without images.
    public static func perClassAccuracy(_ labels: [Int], _ predictions: [Int], classes: Int) -> [Double?] {
        var (right, all) = ([Int](repeating: 0, count: classes), [Int](repeating: 0, count: classes))
        for (label, prediction) in zip(labels, predictions) where label >= 0 {
            all[label] += 1
            if label == prediction { right[label] += 1 }
        }
        return zip(right, all).map { $1 == 0 ? nil : Double($0) / Double($1) }
    }

    /// The mean of these over the classes that have images; NaN when there is none.
    public static func meanPerClassAccuracy(_ labels: [Int], _ predictions: [Int]) -> Double {
        let shares = perClassAccuracy(labels, predictions, classes: (labels.max() ?? -1) + 1).compactMap(\.self)
        return shares.reduce(0, +) / Double(shares.count)
    }

    /// The columns of each row by falling score, the lower column first among equals: the best `k` (all, if fewer).
    /// - Parameter scores: [n, classes] without NaN.
    public static func ranking(_ scores: Tensor, _ k: Int = 5) -> [[Int]] {
        let kept = Swift.min(k, scores.size(1))
        guard scores.size(0) > 0 else { return [] }
        let order: [Int] = scores.sorted(1, descending: true).indices.narrowed(1, from: 0, count: kept).contiguous().values()
        return stride(from: 0, to: order.count, by: kept).map { Array(order[$0..<$0 + kept]) }
    }
}
