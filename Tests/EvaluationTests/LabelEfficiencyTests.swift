import Files
import Foundation
import TestSupport
import Testing

@testable import Evaluation

@Suite struct LabelsNeededTests {
    /// accuracy = 0.2 + 0.1 · log₂(labels): what is needed is known.
    private func logarithmic(_ spread: [Double] = [0]) -> LabelsNeeded {
        LabelsNeeded(curve: [1, 4, 16, 64].map { labels in (labels, spread.map { 0.2 + 0.1 * log2(Double(labels)) + $0 }) })
    }

    @Test(arguments: [(0.3, 2.0), (0.45, pow(2, 2.5)), (0.8, 64.0)])
    func interpolatesOverTheLogarithm(accuracy: Double, labels: Double) throws {
        let needed = try #require(logarithmic()(accuracy - 1e-12))
        #expect(abs(needed / labels - 1) < 1e-9)
    }

    @Test func beyondTheCurveIsNotKnownAndBelowItIsItsStart() {
        #expect(logarithmic()(0.81) == nil)
        #expect(logarithmic()(0.1) == 1)
        #expect(logarithmic().interval([0.9]).high == nil)
    }

    @Test func aDipIsChance() {
        let curve = LabelsNeeded(curve: [(1, [0.2]), (10, [0.6]), (100, [0.5]), (1000, [0.7])])
        #expect(abs(curve(0.65)! - 100) < 1e-9)
        #expect(curve(0.55)! < 10)
    }

    @Test func intervalsCoverTheEstimateAndGrowWithTheSpread() throws {
        func width(_ spread: Double) throws -> Double {
            let needed = logarithmic([-spread, -spread / 2, 0, spread / 2, spread])
            let found = needed.interval([0.45])
            let (low, high) = (try #require(found.low), try #require(found.high))
            #expect(low <= needed(0.45)! && needed(0.45)! <= high)
            return high - low
        }
        #expect(try width(0.05) > 1.5 * width(0.02))
        // Without spread there is nothing to be unsure of.
        #expect(logarithmic([0, 0]).interval([0.45]).low == logarithmic([0, 0]).interval([0.45]).high)
    }

    @Test func sizesEndWithAll() {
        #expect(LabelEfficiency.sizes([1, 5, 50, 500], most: 60) == [1, 5, 50, 60])
        #expect(LabelEfficiency.sizes([1, 5, 50], most: 5) == [1, 5])
    }

    @Test func savingsCompareTheEncodersCurvesWithTheSupervisedOne() throws {
        func curve(_ name: String, _ values: [Double]) -> LabelCurves.Curve {
            .init(name: name, points: zip([10, 100, 1000], values).map { .init(labels: $0, value: $1, lower: $1, upper: $1, draws: [$1]) })
        }
        let curves = [
            curve("mine, linear", [0.4, 0.5, 0.6]), curve("random encoder, linear", [0.2, 0.25, 0.3]),
            curve("mine, fine-tuned", [0.4, 0.6, 0.9]), curve("supervised", [0.2, 0.5, 0.8]),
        ]
        let savings = LabelEfficiency.savings(curves, "mine")
        #expect(savings.count == 6 && Set(savings.map(\.curve)) == ["mine, linear", "mine, fine-tuned"])
        #expect(abs(savings[1].needed! - 100) < 1e-9 && savings[2].needed == nil)
        #expect(abs(savings[5].needed! - 100 * pow(10, 2.0 / 3)) < 1e-6)
    }
}
