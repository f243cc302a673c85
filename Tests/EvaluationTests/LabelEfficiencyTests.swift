import Backbones
import Files
import Foundation
import TestSupport
import Testing
import Torch

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
        let savings = LabelEfficiency.savings(curves, "mine", secondsPerLabel: 36)
        #expect(savings.count == 6 && Set(savings.map(\.curve)) == ["mine, linear", "mine, fine-tuned"])
        #expect(abs(savings[1].needed! - 100) < 1e-9 && savings[2].needed == nil)
        #expect(abs(savings[5].needed! - 100 * pow(10, 2.0 / 3)) < 1e-6)
        // 36 s are a hundredth of an hour; one draw has no spread.
        #expect(abs(savings[5].hoursSaved! - (10 - pow(10, 2.0 / 3))) < 1e-9 && savings[5].hoursLower == savings[5].hoursUpper)
        #expect(savings[2].hoursSaved == nil && savings[2].hoursUpper == nil)
        // The linear curve begins at 0.4, above the 0.2 of 10 labels: at most 10 are needed, at least none saved.
        #expect(savings[0].isBound == true && savings[0].needed == 10 && savings[0].hoursSaved == 0 && savings[1].isBound == false)
    }

    @Test func hoursAndTheirIntervalStandInTheTable() throws {
        func curve(_ name: String, _ draws: [[Double]], _ labels: [Int]) -> LabelCurves.Curve {
            .init(
                name: name,
                points: zip(labels, draws).map { count, draws -> LabelCurves.Point in
                    let mean = draws.reduce(0, +) / Double(draws.count)
                    return LabelCurves.Point(labels: count, value: mean, lower: mean - 0.1, upper: mean + 0.1, draws: draws)
                })
        }
        let curves = [
            curve("mine, linear", [[0.3, 0.34], [0.5, 0.56], [0.8, 0.86]], [10, 100, 1000]),
            curve("mine, linear, random", [[0.3], [0.5], [0.9]], [9, 90, 1000]),
            curve("supervised", [[0.2, 0.2], [0.4, 0.42], [0.9, 0.92]], [10, 100, 1000]),
        ]
        let found = LabelCurves(
            curves: curves, savings: LabelEfficiency.savings(curves, "mine", secondsPerLabel: 18), testImages: 100, secondsPerLabel: 18)
        let table = LabelEfficiency.table(found)
        #expect(table.allSatisfy { $0.count == table[0].count })
        func row(_ name: String, _ labels: Int) -> [String: String] {
            let cells = table.first { $0[0] == name && $0[1] == "\(labels)" } ?? []
            return Dictionary(uniqueKeysWithValues: zip(table[0], cells))
        }
        let middle = row("mine, linear", 100)
        let numbers = [
            "labels_needed", "labels_needed_lower", "labels_needed_upper", "hours_saved", "hours_saved_lower", "hours_saved_upper",
        ]
        .compactMap { Double(middle[$0] ?? "") }
        try #require(numbers.count == 6)
        // 0.41 on the way from 0.32 to 0.53.
        #expect(abs(numbers[0] - pow(10, 1 + 0.09 / 0.21)) < 1e-6 && numbers[1] < numbers[0] && numbers[0] < numbers[2])
        #expect(abs(numbers[3] - (100 - numbers[0]) / 200) < 1e-9)
        // The more labels are needed the fewer hours are saved.
        #expect(abs(numbers[4] - (100 - numbers[2]) / 200) < 1e-9 && abs(numbers[5] - (100 - numbers[1]) / 200) < 1e-9)
        func number(_ row: [String: String], _ key: String) -> Double { Double(row[key] ?? "") ?? .nan }
        #expect(abs(number(middle, "supervised") - 0.41) < 1e-9 && middle["at_most"] == "false" && middle["seconds_per_label"] == "18.0")
        #expect(row("mine, linear", 10)["at_most"] == "true")
        // Not so far: nothing is saved that could be counted.
        let beyond = row("mine, linear", 1000)
        #expect(beyond["labels_needed"] == "" && beyond["hours_saved"] == "" && abs(number(beyond, "supervised") - 0.91) < 1e-9)
        // Chosen images have numbers of labels of their own; what the supervised network compares with is not lost.
        #expect(row("mine, linear, random", 90)["supervised"] == "" && row("mine, linear, random", 90)["value"] == "0.5")
        #expect(row("mine, linear, random", 100)["value"] == "" && row("mine, linear, random", 100)["labels_needed"] != "")
        #expect(row("supervised", 100)["labels_needed"] == "" && row("supervised", 100)["draws"] == "2")
    }

    /// What was measured is kept where the rest is not waited for.
    @Test func curvesAreWrittenAsTheyCome() throws {
        try withTemporaryFolder { folder in
            Runtime.seed(3)
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
            var efficiency = LabelEfficiency()
            (efficiency.labelsPerClass, efficiency.draws, efficiency.networkDraws, efficiency.loaderThreads) = ([1], 2, 1, 1)
            efficiency.tuning.leastSteps = 2
            efficiency.tuning.epochs = 1
            efficiency.tuning.baseline = .same
            var kept: LabelCurves?
            efficiency.progress = { text in
                guard text.hasPrefix("supervised on"), kept == nil else { return }
                kept = try? JSONDecoder().decode(LabelCurves.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/labels.json")))
            }
            let found = try efficiency(
                encoder, name: "mine", train: Labelled.cycling(12, 3), test: Labelled.cycling(12, 3, stream: 1), folder: folder)
            #expect(kept?.curves.map(\.name) == ["mine, linear", "random encoder, linear", "mine, fine-tuned"])
            #expect(found.curves.count == 4 && Array(found.curves.prefix(3)) == kept?.curves)
            // One draw of networks has no interval of what is saved.
            #expect(found.savings.contains { $0.curve == "mine, fine-tuned" })
            for saving in found.savings where saving.curve == "mine, fine-tuned" { #expect(saving.lower == nil && saving.upper == nil) }
        }
    }
}
