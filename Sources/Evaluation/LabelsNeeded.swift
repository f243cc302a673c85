internal import Embeddings
internal import Foundation

/// With how many labels a curve reaches an accuracy.
struct LabelsNeeded {
    /// In rising order of labels, each with the accuracies of its draws.
    let curve: [(labels: Int, draws: [Double])]

    /// The least number of labels at which the mean curve reaches `accuracy`, interpolated linearly over log(labels); the curve
    /// counts as rising (a point below one with fewer labels is chance). nil when it never does; the first point's labels when
    /// it begins above.
    func callAsFunction(_ accuracy: Double) -> Double? {
        Self.crossing(curve.map { (Double($0.labels), $0.draws.reduce(0, +) / Double($0.draws.count)) }, accuracy)
    }

    /// Whether the curve's first point is there already: fewer labels than were measured may do.
    func beginsAbove(_ accuracy: Double) -> Bool {
        curve.first.map { $0.draws.reduce(0, +) / Double($0.draws.count) >= accuracy } ?? false
    }

    /// The same with a percentile bootstrap's 95 % interval: the draws of every point and of the accuracy are drawn again. Where
    /// a repetition never comes so far it counts as infinite; an infinite bound is nil.
    func interval(_ target: [Double], repetitions: Int = 1000, seed: UInt64 = 0) -> (low: Double?, high: Double?) {
        var random = SplitMix64(seed: seed)
        func mean(_ draws: [Double]) -> Double {
            (0..<draws.count).reduce(0) { sum, _ in sum + draws[random.below(draws.count)] } / Double(draws.count)
        }
        let found = (0..<repetitions).map { _ in
            let points = curve.map { (Double($0.labels), mean($0.draws)) }
            return Self.crossing(points, mean(target)) ?? .infinity
        }.sorted()
        func bound(_ share: Double) -> Double? {
            let value = found[min(found.count - 1, Int(share * Double(found.count)))]
            return value.isFinite ? value : nil
        }
        return (bound(0.025), bound(0.975))
    }

    private static func crossing(_ points: [(labels: Double, accuracy: Double)], _ target: Double) -> Double? {
        guard var before = points.first else { return nil }
        if before.accuracy >= target { return before.labels }
        for point in points.dropFirst() where point.accuracy > before.accuracy {
            if point.accuracy >= target {
                let share = (target - before.accuracy) / (point.accuracy - before.accuracy)
                return exp(log(before.labels) + share * (log(point.labels) - log(before.labels)))
            }
            before = point
        }
        return nil
    }
}
