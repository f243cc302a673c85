@testable import Embeddings
import Testing
import Torch

@Suite struct IntervalsTests {
    @Test func wilsonAgreesWithSciPy() throws {
        let rows = try References.tensor("wilson")
        for index in 0..<rows.size(0) {
            let r = rows[index].doubles
            for (level, low, high) in [(0.95, r[2], r[3]), (0.8, r[4], r[5])] {
                let found = Interval.wilson(Int(r[0]), of: Int(r[1]), level: level)
                #expect(abs(found.low - low) < 1e-12 && abs(found.high - high) < 1e-12)
                #expect(found.estimate == r[0] / r[1] && found.contains(found.estimate) && found.level == level)
            }
        }
        #expect(Interval.wilson([]) == nil)
        #expect(Interval.wilson([true, false])?.estimate == 0.5)
    }

    @Test func quantilesAgreeWithSciPy() throws {
        let student = try References.tensor("student")
        for index in 0..<student.size(0) {
            let r = student[index].doubles
            for (probability, expected) in [(0.975, r[1]), (0.6, r[2]), (0.01, r[3])] {
                #expect(abs(Quantile.student(probability, degrees: r[0]) - expected) < 1e-9 * max(1, abs(expected)))
            }
        }
        let normal = try References.tensor("normal")
        for index in 0..<normal.size(0) {
            let r = normal[index].doubles
            #expect(abs(Quantile.normal(r[0]) - r[1]) < 1e-10)
        }
    }

    @Test func studentAgreesWithSciPy() throws {
        let runs = try References.tensor("runs")
        let (a, b) = (runs[0].doubles, runs[1].doubles)
        for (found, name) in [(Interval.student(a), "runs.mean"), (Interval.pairedStudent(a, minus: b), "runs.difference")] {
            let expected = try References.tensor(name).doubles
            #expect(abs(found!.estimate - expected[0]) < 1e-10)
            #expect(abs(found!.low - expected[1]) < 1e-8 && abs(found!.high - expected[2]) < 1e-8)
        }
        #expect(Interval.student([1]) == nil)
        #expect(Interval.student([2, 2, 2]) == Interval(estimate: 2, low: 2, high: 2, level: 0.95))
    }

    @Test func bootstrapAgreesWithNumPy() throws {
        let pairs = try References.tensor("pairs")
        let (a, b) = (pairs[0].ints.map { $0 == 1 }, pairs[1].ints.map { $0 == 1 })
        let expected = try References.tensor("bootstrap").doubles
        let one = Interval.bootstrap(a)
        // The quantiles of 2,000 draws scatter by about 0.04 of the distribution's deviation, 0.014.
        #expect(abs(one.low - expected[0]) < 0.004 && abs(one.high - expected[1]) < 0.004)
        let both = Interval.pairedBootstrap(a, minus: b)
        #expect(abs(both.low - expected[2]) < 0.004 && abs(both.high - expected[3]) < 0.004)
        #expect(abs(both.estimate - (Double(a.count { $0 }) - Double(b.count { $0 })) / 800) < 1e-12)
        #expect(Interval.bootstrap(a) == one && Interval.bootstrap(a, seed: 1) != one)
    }

    /// Pairing is what makes small differences visible: shuffling one side's images widens the interval.
    @Test func pairingNarrows() {
        var random = SplitMix64(seed: 40)
        let a = (0..<500).map { _ in random.uniform() < 0.7 }
        let b = a.map { random.uniform() < 0.04 ? !$0 : $0 }
        let paired = Interval.pairedBootstrap(a, minus: b)
        var shuffled = b
        random.shuffle(&shuffled)
        let loose = Interval.pairedBootstrap(a, minus: shuffled)
        #expect(paired.high - paired.low < 0.5 * (loose.high - loose.low))
        #expect(Interval.pairedBootstrap(a, minus: a) == Interval(estimate: 0, low: 0, high: 0, level: 0.95))
    }

    /// Against several runs of a baseline: the mean of the differences, and an interval that knows that runs scatter.
    @Test func severalRunsOfABaseline() {
        var random = SplitMix64(seed: 43)
        let a = (0..<400).map { _ in random.uniform() < 0.7 }
        let runs = [0.3, 0.4, 0.5, 0.6].map { share in (0..<400).map { _ in random.uniform() < share } }
        let shares = { (values: [Bool]) in values.map { $0 ? 1.0 : 0 } }
        let found = Interval.pairedBootstrap(shares(a), minusMeanOf: runs.map(shares))
        let mean = { (values: [Bool]) in Double(values.count { $0 }) / 400 }
        #expect(abs(found.estimate - (mean(a) - runs.map(mean).reduce(0, +) / 4)) < 1e-12)
        // Alone, the scatter of a mean of four such runs (deviation 0.056) makes an interval of 0.19 or more.
        #expect(found.high - found.low > 0.19 && found.low < found.estimate && found.estimate < found.high)
        #expect(Interval.pairedBootstrap(shares(a), minusMeanOf: [shares(runs[0])]) == Interval.pairedBootstrap(a, minus: runs[0]))
        let same = Interval.pairedBootstrap(shares(a), minusMeanOf: [shares(runs[1]), shares(runs[1]), shares(runs[1])])
        let one = Interval.pairedBootstrap(a, minus: runs[1])
        #expect(abs(same.low - one.low) < 0.01 && abs(same.high - one.high) < 0.01)
    }

    /// 95 % intervals of many experiments hold the truth in about 95 % of them.
    @Test func coverage() {
        var random = SplitMix64(seed: 41)
        var (wilson, student) = (0, 0)
        for _ in 0..<1000 {
            let correct = (0..<120).map { _ in random.uniform() < 0.83 }
            if Interval.wilson(correct)!.contains(0.83) { wilson += 1 }
            // Sums of twelve uniform numbers: mean 6, nearly normal.
            let runs = (0..<5).map { _ in (0..<12).reduce(0.0) { sum, _ in sum + random.uniform() } }
            if Interval.student(runs)!.contains(6) { student += 1 }
        }
        #expect((920...975).contains(wilson) && (925...975).contains(student))
    }

    @Test func percentilesInterpolate() {
        #expect(Interval.percentile([1, 2, 4], 0.25) == 1.5 && Interval.percentile([1, 2, 4], 0.75) == 3)
        #expect(Interval.percentile([5], 0.9) == 5)
    }
}
