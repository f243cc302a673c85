/// An estimate with an interval that covers the truth at `level` of repetitions.
public struct Interval: Sendable, Equatable, Codable {
    public var estimate: Double
    public var low: Double
    public var high: Double
    /// 0.95 for a 95 % interval.
    public var level: Double

    public init(estimate: Double, low: Double, high: Double, level: Double) {
        self.estimate = estimate
        self.low = low
        self.high = high
        self.level = level
    }

    /// Whether `value` lies inside, ends included: 0 inside a difference's interval means no difference was shown.
    public func contains(_ value: Double) -> Bool { low <= value && value <= high }
}

extension Interval {
    /// A share of successes by Wilson 1927:
    ///
    ///     (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n)
    ///
    /// - Precondition: 0 ≤ successes ≤ total, total > 0, 0 < level < 1.
    public static func wilson(_ successes: Int, of total: Int, level: Double = 0.95) -> Interval {
        precondition(total > 0 && (0...total).contains(successes), "\(successes) successes of \(total)")
        let z = Quantile.normal(0.5 + level / 2)
        let n = Double(total)
        let p = Double(successes) / n
        let centre = p + z * z / (2 * n)
        let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        // At the ends the formula gives 0 and 1 but for rounding.
        let low = successes == 0 ? 0 : (centre - spread) / scale
        let high = successes == total ? 1 : (centre + spread) / scale
        return Interval(estimate: p, low: low, high: high, level: level)
    }

    /// Of the share of true values; nil when there are none.
    public static func wilson(_ correct: [Bool], level: Double = 0.95) -> Interval? {
        correct.isEmpty ? nil : wilson(correct.count { $0 }, of: correct.count, level: level)
    }

    /// The mean of `values` with the percentile bootstrap (Efron 1979): as many values drawn with replacement, `draws` times.
    /// - Precondition: values and draws are not empty.
    public static func bootstrap(_ values: [Double], draws: Int = 2000, level: Double = 0.95, seed: UInt64 = 0) -> Interval {
        precondition(!values.isEmpty && draws > 0, "a bootstrap of \(values.count) values in \(draws) draws")
        var random = SplitMix64(seed: seed)
        let n = values.count
        let estimate = values.reduce(0, +) / Double(n)
        var means = (0..<draws).map { _ in
            var sum = 0.0
            for _ in 0..<n { sum += values[random.below(n)] }
            return sum / Double(n)
        }
        means.sort()
        return Interval(
            estimate: estimate, low: percentile(means, 0.5 - level / 2), high: percentile(means, 0.5 + level / 2), level: level)
    }

    /// An accuracy by the percentile bootstrap over images.
    public static func bootstrap(_ correct: [Bool], draws: Int = 2000, level: Double = 0.95, seed: UInt64 = 0) -> Interval {
        bootstrap(correct.map { $0 ? 1 : 0 }, draws: draws, level: level, seed: seed)
    }

    /// accuracy(a) − accuracy(b) of two classifiers on the same images in the same order: images are drawn, so that what
    /// both find hard or easy cancels.
    /// - Precondition: both have the same number of images, at least one.
    public static func pairedBootstrap(
        _ a: [Bool], minus b: [Bool], draws: Int = 2000, level: Double = 0.95, seed: UInt64 = 0
    ) -> Interval {
        precondition(a.count == b.count, "a paired comparison of \(a.count) and \(b.count) images")
        return bootstrap(zip(a, b).map { ($0 ? 1 : 0) - ($1 ? 1 : 0) }, draws: draws, level: level, seed: seed)
    }

    /// The mean of `a`, a value for each image such as 1 for a right answer, minus that of several runs of a baseline
    /// (initialisations, seeds) on the same images in the same order.
    /// Images and runs are drawn, so that the interval holds for other images and for other runs.
    /// - Precondition: at least one run, and everywhere the same number of images, at least one.
    public static func pairedBootstrap(
        _ a: [Double], minusMeanOf runs: [[Double]], draws: Int = 2000, level: Double = 0.95, seed: UInt64 = 0
    ) -> Interval {
        precondition(!runs.isEmpty && runs.allSatisfy { $0.count == a.count }, "a paired comparison of runs of other images")
        let differences = runs.map { run in zip(a, run).map { $0 - $1 } }
        guard runs.count > 1 else { return bootstrap(differences[0], draws: draws, level: level, seed: seed) }
        var random = SplitMix64(seed: seed)
        let (n, m) = (a.count, runs.count)
        var times = [Double](repeating: 0, count: n)
        var means = (0..<draws).map { _ -> Double in
            for i in 0..<n { times[i] = 0 }
            for _ in 0..<n { times[random.below(n)] += 1 }
            var sum = 0.0
            for _ in 0..<m {
                let run = differences[random.below(m)]
                for i in 0..<n { sum += times[i] * run[i] }
            }
            return sum / Double(n * m)
        }
        means.sort()
        let estimate = differences.reduce(0) { $0 + $1.reduce(0, +) } / Double(n * m)
        return Interval(
            estimate: estimate, low: percentile(means, 0.5 - level / 2), high: percentile(means, 0.5 + level / 2), level: level)
    }

    /// The mean over independent runs (seeds) with Student's t: m ± t(n − 1) · s/√n; nil with fewer than two values.
    public static func student(_ values: [Double], level: Double = 0.95) -> Interval? {
        guard values.count >= 2 else { return nil }
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
        let spread = Quantile.student(0.5 + level / 2, degrees: n - 1) * (variance / n).squareRoot()
        return Interval(estimate: mean, low: mean - spread, high: mean + spread, level: level)
    }

    /// The mean of a_i − b_i over seeds i that both share, with Student's t; nil with fewer than two.
    /// - Precondition: as many values of both.
    public static func pairedStudent(_ a: [Double], minus b: [Double], level: Double = 0.95) -> Interval? {
        precondition(a.count == b.count, "a paired comparison of \(a.count) and \(b.count) runs")
        return student(zip(a, b).map { $0 - $1 }, level: level)
    }

    /// Of a share: bounds that no share can have are none.
    package func clamped() -> Interval {
        Interval(estimate: estimate, low: Swift.max(0, low), high: Swift.min(1, high), level: level)
    }

    /// Linear interpolation between order statistics, as NumPy's default.
    package static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        let position = share * Double(sorted.count - 1)
        let below = Int(position.rounded(.down))
        let above = Swift.min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }
}
