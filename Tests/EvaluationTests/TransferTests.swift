import Backbones
import Embeddings
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Evaluation

@Suite(.serialized) struct TransferTests {
    private func makeEncoder(_ seed: UInt64) throws -> Encoder {
        Runtime.seed(seed)
        return try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
    }

    private func makeEvaluator() -> Evaluator {
        var evaluator = Evaluator()
        evaluator.randomEncoders = 1
        evaluator.loaderThreads = 1
        return evaluator
    }

    private var quick: TransferProtocol {
        var settings = TransferProtocol()
        (settings.penalties, settings.learningRates, settings.epochs, settings.leastSteps, settings.batchSize) = (2, [0.2], 1, 10, 8)
        return settings
    }

    @Test func meanPerClassIsTheMeanOverClasses() {
        // Class 0: 3 of 4, class 1: 0 of 1, class 2: 1 of 1.
        let (items, labels) = ([1.0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 1, 2])
        let mean = TransferProtocol.perClass(items, labels).reduce(0, +) / 6
        #expect(abs(mean - 1.75 / 3) < 1e-12)
        // With as many images of each class it is accuracy.
        #expect(TransferProtocol.perClass([1, 0, 1, 1], [0, 0, 1, 1]) == [1, 0, 1, 1])
    }

    @Test func theIntervalOfAMeanOverClassesIsMadeOfTheClasses() {
        // One class: Wilson's own.
        let items = [1.0, 1, 0, 1, 1, 0, 1]
        let one = TransferProtocol.interval(items, [Int](repeating: 4, count: 7))
        let wilson = Interval.wilson(5, of: 7)
        #expect(abs(one.low - wilson.low) < 1e-12 && abs(one.high - wilson.high) < 1e-12)
        // Four like it: half as wide, below as above.
        let four = TransferProtocol.interval(items + items + items + items, (0..<28).map { $0 / 7 })
        #expect(abs((four.estimate - four.low) * 2 - (one.estimate - one.low)) < 1e-12)
        #expect(abs((four.high - four.estimate) * 2 - (one.high - one.estimate)) < 1e-12)
        // All right is not certainty.
        #expect(TransferProtocol.interval([1, 1, 1], [0, 1, 2]).low < 0.6)
    }

    @Test func metricsAreThoseOfTheTwelveDataSets() {
        typealias Metric = TransferProtocol.Metric
        for name in ["fgvc-aircraft", "Oxford-IIIT-Pets", "caltech-101", "flowers102"] { #expect(Metric(dataset: name) == .meanPerClass) }
        for name in ["food101", "cifar10", "cifar100", "birdsnap", "sun397", "cars", "dtd"] { #expect(Metric(dataset: name) == .top1) }
    }

    @Test func oneTableOfEncodersByDataSets() throws {
        let (a, b) = (try makeEncoder(1), try makeEncoder(2))
        // Unequal classes, so that the two metrics differ.
        let flowers = Labelled(labels: (0..<48).map { $0 % 4 == 0 ? 1 : 0 }, classNames: ["rose", "tulip"])
        let few = Labelled(labels: (0..<24).map { $0 % 4 == 0 ? 1 : 0 }, classNames: ["rose", "tulip"], stream: 1)
        let outcome = try withTemporaryFolder { folder in
            let outcome = try makeEvaluator().transfer(
                [.init(a, name: "a"), .init(b, name: "b")],
                to: [.init("flowers", train: flowers, test: few), .init("hues", train: Labelled.cycling(60, 3), test: nil)],
                settings: quick, folder: folder)
            let read = try JSONDecoder().decode(TransferTable.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/transfer.json")))
            #expect(read == outcome.table)
            let lines = try String(contentsOfFile: "\(folder)/transfer-results.csv", encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 1 + 6 * 2)
            return outcome
        }
        let table = outcome.table
        #expect(table.sets.map(\.metric) == ["mean-per-class", "top-1"] && table.sets.map(\.split) == ["test", "held-out fifth"])
        #expect(table.sets[1].trainImages == 48 && table.sets[1].testImages == 12)
        #expect(
            table.rows.map { "\($0.block) \($0.encoder)" } == [
                "linear a", "linear b", "linear random init", "fine-tuned a", "fine-tuned b", "fine-tuned random init",
            ])
        for row in table.rows {
            for (cell, set) in zip(row.cells, table.sets) {
                let cell = try #require(cell)
                #expect(cell.data == set.name && cell.lower! <= cell.value && cell.value <= cell.upper!)
                #expect(cell.metric.contains("mean per-class") == (set.name == "flowers"))
            }
        }
        // The first encoder against every other row, on each set and in each block.
        #expect(outcome.differences.count == 2 * 2 * 2)
        for difference in outcome.differences where difference.baseline == "b" {
            let place = difference.metric.hasSuffix("flowers") ? 0 : 1
            let block = String(difference.metric.prefix { $0 != " " })
            func value(_ name: String) -> Double { table.rows.first { $0.block == block && $0.encoder == name }!.cells[place]!.value }
            #expect(abs(difference.value - (value("a") - value("b"))) < 1e-9)
        }
    }

    @Test func theMetricIsThatOfTheClassifiersAnswers() throws {
        var settings = quick
        settings.finetunes = false
        let train = Labelled(labels: (0..<48).map { $0 % 4 == 0 ? 1 : 0 }, classNames: ["rose", "tulip"])
        // As many of each class: both metrics are the same number. Then three of one: they are not, unless all are right.
        let even = Labelled.cycling(20, 2, stream: 3)
        func value(_ test: any ImageDataset, _ metric: TransferProtocol.Metric) throws -> Double {
            let renamed = Labelled(labels: (0..<test.count).map { test.label(at: $0) }, classNames: ["rose", "tulip"], stream: 3)
            let outcome = try makeEvaluator().transfer(
                [.init(try makeEncoder(1), name: "a")], to: [.init("x", train: train, test: renamed, metric: metric)], settings: settings,
                folder: nil)
            return outcome.table.rows[0].cells[0]!.value
        }
        #expect(abs(try value(even, .top1) - value(even, .meanPerClass)) < 1e-12)
    }

    @Test func whatIsWrongWithADataSetNamesIt() throws {
        let encoder = try makeEncoder(1)
        for (set, part) in [
            (Labelled.cycling(12, 2).unlabelled as any ImageDataset, "folder of its own"),
            (Labelled(labels: [0, 1], classNames: ["a", "b"]), "two labelled images"),
        ] {
            let error = #expect(throws: EvaluationError.self) {
                _ = try makeEvaluator().transfer(
                    [.init(encoder, name: "a")], to: [.init("bad", train: set, test: nil)], settings: quick, folder: nil)
            }
            #expect(error?.description.hasPrefix("bad: ") == true && error?.description.contains(part) == true)
            #expect(error?.description.contains("\n") == false)
        }
        #expect(throws: EvaluationError.self) {
            _ = try makeEvaluator().transfer(
                [.init(encoder, name: "random init")], to: [.init("x", train: Labelled.cycling(12, 2), test: nil)], folder: nil)
        }
    }
}
