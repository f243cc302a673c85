import Backbones
import Embeddings
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Evaluation

@Suite(.serialized) struct RobustnessTests {
    // MARK: mCE

    /// Four images, two corruptions and frost, two severities; true where an image is classified rightly.
    private static func scores(
        clean: [Bool], _ cells: [(kind: String, level: Int, correct: [Bool])]
    ) -> [Score] {
        var all = [Score("robust", "top-1 clean knn", split: "test", correct: clean, trainImages: 9)]
        for cell in cells {
            var score = Score("robust", "top-1 \(cell.kind) \(cell.level) knn", split: "test", correct: cell.correct, trainImages: 9)
            score.detail = .init(series: "knn", group: cell.kind, level: cell.level)
            all.append(score)
        }
        return all
    }

    private static let (yes, no) = (true, false)
    private static let own = scores(
        clean: [yes, yes, yes, no],
        [
            ("fog", 1, [yes, yes, no, no]), ("fog", 2, [yes, no, no, no]), ("contrast", 1, [yes, yes, yes, no]),
            ("contrast", 2, [yes, yes, no, no]), ("frost", 1, [no, no, no, no]), ("frost", 2, [no, no, no, no]),
            ("saturate", 1, [no, no, no, no]), ("saturate", 2, [no, no, no, no]),
        ])
    private static let baseline = scores(
        clean: [yes, yes, no, no],
        [
            ("fog", 1, [yes, no, no, no]), ("fog", 2, [no, no, no, no]), ("contrast", 1, [yes, no, no, no]),
            ("contrast", 2, [yes, no, no, no]), ("frost", 1, [yes, yes, no, no]), ("frost", 2, [yes, yes, no, no]),
            ("saturate", 1, [yes, yes, no, no]), ("saturate", 2, [yes, yes, no, no]),
        ])

    private static func relative(_ own: [Score], to baseline: [[Score]]) -> [String: Score] {
        var measure = RobustnessProtocol()
        measure.classifiers = [.knn]
        let found = measure.relative(own, to: baseline, "other")
        return Dictionary(uniqueKeysWithValues: found.map { ($0.metric, $0) })
    }

    @Test func meanCorruptionErrorsAreThePapers() throws {
        let found = Self.relative(Self.own, to: [Self.baseline])
        // Errors of four images: fog 2 + 3 against 3 + 4, contrast 1 + 2 against 3 + 3; clean 1 against 2. Neither frost nor the
        // extra ones count, and quotients are of sums over severities.
        let mce = 100 * (5.0 / 7 + 3.0 / 6) / 2
        let relative = 100 * (3.0 / 3 + 1.0 / 2) / 2
        #expect(abs(try #require(found["mCE knn"]).value - mce) < 1e-9)
        #expect(abs(try #require(found["relative mCE knn"]).value - relative) < 1e-9)
        // What else it could mean is something else here.
        for wrong in [100 * (2.0 / 3 + 3.0 / 4 + 1.0 / 3 + 2.0 / 3) / 4, 100 * 8.0 / 13, 100 * (5.0 / 7 + 3.0 / 6 + 8.0 / 4) / 3] {
            #expect(abs(wrong - mce) > 0.2)
        }
        #expect(found["mCE knn"]?.setting == "against other")
    }

    @Test func baselinesRunsAreAveragedBeforeTheyDivide() throws {
        let found = Self.relative(Self.own, to: [Self.baseline, Self.own])
        let mce = 100 * (5.0 / 6 + 3.0 / 4.5) / 2
        #expect(abs(try #require(found["mCE knn"]).value - mce) < 1e-9)
        let itself = Self.relative(Self.own, to: [Self.own])
        #expect(itself.count == 2 && itself.values.allSatisfy { abs($0.value - 100) < 1e-9 })
    }

    @Test func corruptionsThatCostTheBaselineNothingAreLeftOutAndNamed() throws {
        var easy = Self.baseline
        for index in easy.indices where easy[index].detail?.group == "contrast" { easy[index].items = easy[0].items }
        let found = Self.relative(Self.own, to: [easy])
        #expect(abs(try #require(found["relative mCE knn"]).value - 100) < 1e-9)
        #expect(found["relative mCE knn"]?.note == "without contrast, which cost the baseline nothing")
        #expect(found["mCE knn"]?.note == nil)
    }

    /// The bootstrap of a ratio: against draws made here, one image at a time.
    @Test func intervalIsTheBootstrapsOverImages() throws {
        var random = SplitMix64(seed: 3)
        func correct(_ chance: Double) -> [Bool] { (0..<400).map { _ in Double(random.below(1000)) / 1000 < chance } }
        let mine = Self.scores(clean: correct(0.9), [("fog", 1, correct(0.7)), ("snow", 1, correct(0.6))])
        let theirs = Self.scores(clean: correct(0.8), [("fog", 1, correct(0.4)), ("snow", 1, correct(0.5))])
        let interval = try #require(Self.relative(mine, to: [theirs])["mCE knn"]?.interval)
        var values = (0..<1000).map { _ in
            let rows = (0..<400).map { _ in random.below(400) }
            func errors(_ scores: [Score], _ kind: String) -> Double {
                let items = scores.first { $0.detail?.group == kind }!.items
                return rows.reduce(0) { $0 + 1 - items[$1] }
            }
            return 50 * (errors(mine, "fog") / errors(theirs, "fog") + errors(mine, "snow") / errors(theirs, "snow"))
        }
        values.sort()
        #expect(abs(interval.low - values[25]) < 2 && abs(interval.high - values[974]) < 2)
    }

    // MARK: The protocol

    private func evaluate(
        _ test: Labelled?, threads: Int = 1, random: Int = 1, seeds: Int = 1, baseline: Evaluator.ErrorBaseline = .random,
        changes: [String] = []
    ) throws -> Evaluator.Outcome {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols("robust", changes: ["robust.penalties=1"] + changes)
        evaluator.randomEncoders = random
        evaluator.loaderThreads = threads
        evaluator.seeds = seeds
        evaluator.errorBaseline = baseline
        return try evaluator(encoder, name: "mine", train: Labelled.cycling(60, 3), test: test, folder: nil)
    }

    private let few = ["robust.corruptions=gaussian-noise,contrast,frost", "robust.severities=[1,5]"]

    @Test func rowsAndTable() throws {
        let outcome = try evaluate(.cycling(30, 3, stream: 1), changes: few)
        for encoder in ["mine", "random encoder", "raw pixels"] {
            let metrics = outcome.results.filter { $0.encoder == encoder }.map(\.metric)
            let main = ["linear", "knn"].flatMap { ["top-1 clean \($0)", "top-1 corrupted \($0)", "mCE \($0)"] }
            #expect(Set(main).isSubset(of: metrics) && metrics.count <= 8, "\(metrics)")
        }
        // Its own baseline, and nothing else, has 100.
        let random = outcome.results.filter { $0.encoder == "random encoder" && $0.metric.hasPrefix("mCE") }
        #expect(random.allSatisfy { abs($0.value - 100) < 1e-9 })
        let table = try #require(outcome.robustness)
        #expect(table.constants == "CIFAR-10-C" && table.severities == [1, 5] && table.testImages == 30)
        #expect(table.rows.count == 3 * 2 * 3 && table.clean.count == 6)
        #expect(Set(table.rows.filter { !$0.isComparable }.map(\.corruption)) == ["frost"])
        for row in outcome.results where row.metric.hasPrefix("top-1 corrupted") && row.encoder != "random encoder" {
            let cells = table.rows.filter {
                $0.encoder == row.encoder && row.metric.hasSuffix($0.classifier) && $0.isComparable
            }.flatMap(\.accuracies)
            #expect(cells.count == 4 && abs(row.value - cells.reduce(0, +) / 4) < 1e-12)
        }
        #expect(outcome.differences.contains { $0.metric == "top-1 corrupted knn" && $0.baseline == "raw pixels" })
        #expect(!outcome.differences.contains { $0.metric.contains("frost") })
    }

    /// Frost and the extra ones are measured and stand in the table, but there is nothing for mCE to be a mean over.
    @Test func withoutAComparableCorruptionThatIsSaid() throws {
        let test = Labelled.cycling(12, 3, stream: 1)
        let cases: [(String, String?)] = [("frost", "frost is"), ("saturate,frost", "saturate, frost are"), ("frost,fog", nil)]
        for (kinds, said) in cases {
            let outcome = try evaluate(test, random: 0, changes: ["robust.corruptions=\(kinds)", "robust.severities=[1]"])
            for encoder in ["mine", "raw pixels"] {
                let rows = outcome.results.filter { $0.encoder == encoder }
                let clean = rows.filter { $0.metric.hasPrefix("top-1 clean") }
                let means = rows.filter { $0.metric.hasPrefix("top-1 corrupted") }
                #expect(clean.count == 2 && means.count == (said == nil ? 2 : 0))
                guard let said else {
                    #expect(clean.allSatisfy { $0.note?.contains("mCE") != true })
                    continue
                }
                #expect(!rows.contains { $0.metric.contains("mCE") })
                let note = "no mCE and no mean under corruptions: \(said) not among those that these are of"
                #expect(clean.allSatisfy { $0.note?.hasPrefix(note) == true })
            }
            #expect(outcome.robustness?.rows.isEmpty == false)
        }
    }

    @Test func corruptionsCostAccuracyAndClassifiersAreOfCleanImages() throws {
        // Pixels see that all hues are gone.
        let outcome = try evaluate(
            .cycling(60, 3, stream: 1), random: 0, changes: ["robust.corruptions=saturate,fog", "robust.severities=[2]"])
        let table = try #require(outcome.robustness)
        let pixels = table.rows.first { $0.encoder == "raw pixels" && $0.corruption == "saturate" && $0.classifier == "linear" }!
        let clean = table.clean.first { $0.encoder == "raw pixels" && $0.classifier == "linear" }!
        #expect(clean.accuracy > 0.9 && pixels.accuracies[0] < clean.accuracy - 0.2, "\(pixels.accuracies) of \(clean.accuracy)")
    }

    @Test func theSameWhateverTheThreads() throws {
        let test = Labelled.cycling(20, 3, stream: 1)
        let (a, b) = (try evaluate(test, threads: 0, changes: few), try evaluate(test, threads: 3, changes: few))
        #expect(a.robustness == b.robustness && a.results == b.results)
    }

    @Test func baselineByName() throws {
        Runtime.seed(9)
        let other = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        let test = Labelled.cycling(20, 3, stream: 1)
        let named = try evaluate(test, baseline: .encoder(.init(other, name: "other")), changes: few)
        let own = named.results.filter { $0.encoder == "other" && $0.metric.hasPrefix("mCE") }
        #expect(own.count == 2 && own.allSatisfy { abs($0.value - 100) < 1e-9 && $0.setting == "against other" })
        let pixels = try evaluate(test, random: 0, changes: few)
        #expect(pixels.results.filter { $0.metric.hasPrefix("mCE") }.allSatisfy { $0.setting == "against raw pixels" })
    }

    @Test func withoutATestSplitAndWithSeveralSeeds() throws {
        let outcome = try evaluate(nil, random: 1, seeds: 2, changes: few)
        #expect(outcome.results.allSatisfy { $0.split == "held-out fifth" && $0.value.isFinite })
        #expect(outcome.robustness?.rows.allSatisfy { $0.accuracies.count == 2 } == true)
        // Not one row per corruption.
        #expect(outcome.bySeed.allSatisfy { !$0.metric.contains("noise") })
    }

    @Test func fewerImagesAreBalanced() throws {
        let outcome = try evaluate(.cycling(90, 3, stream: 1), random: 0, changes: few + ["robust.images=12"])
        #expect(outcome.robustness?.testImages == 12)
    }

    @Test func unknownCorruptionsAreRefusedInOneLine() throws {
        for (change, part) in [("robust.corruptions=rain", "gaussian-noise"), ("robust.severities=[6]", "between 1 and 5")] {
            let error = #expect(throws: EvaluationError.self) { try evaluate(.cycling(9, 3), random: 0, changes: [change]) }
            #expect(error?.description.contains(part) == true && error?.description.contains("\n") == false)
        }
    }
}
