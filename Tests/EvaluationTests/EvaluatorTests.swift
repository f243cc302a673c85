import Backbones
import Embeddings
import Evaluation
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Training
import Views

/// Images whose class is their hue, with noise: easy for any features, so that what is tested is the protocol.
private struct Hues: ImageDataset {
    let count: Int
    let classes: Int
    var shift = 0

    var classNames: [String] { (0..<classes).map { "class \($0)" } }
    func label(at index: Int) -> Int? { (index + shift) % classes }
    func name(at index: Int) -> String { "\(index).png" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        var random = ViewKey(seed: 9, epoch: 0, index: index, stream: shift).random()
        let hue = Double((index + shift) % classes) / Double(classes)
        let pixels = (0..<16 * 16 * 3).map { place -> UInt8 in
            let channel = Double(place % 3) / 3
            let distance = abs(hue - channel)
            return UInt8(255 * (0.5 + 0.3 * min(distance, 1 - distance) * 2 - 0.15) * (0.7 + 0.3 * random.uniform()))
        }
        return PixelImage(width: 16, height: 16, pixels: pixels)
    }
}

@Suite(.serialized) struct EvaluatorTests {
    private func makeEncoder() throws -> Encoder {
        Runtime.seed(3)
        return try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
    }

    private func makeEvaluator() -> Evaluator {
        var evaluator = Evaluator()
        evaluator.randomEncoders = 2
        evaluator.loaderThreads = 1
        return evaluator
    }

    @Test func rowsForTheEncoderAndItsBaselines() throws {
        let (train, test) = (Hues(count: 96, classes: 6), Hues(count: 48, classes: 6, shift: 1))
        let outcome = try makeEvaluator()(makeEncoder(), name: "mine", train: train, test: test, folder: nil)
        let expected = ["mine", "random encoder", "raw pixels"].flatMap { name in
            ["knn", "linear"].flatMap { kind in ["top-1", "top-5"].map { "\(name) \(kind) \($0)" } }
        }
        #expect(outcome.results.map { "\($0.encoder) \($0.protocolName) \($0.metric)" } == expected)
        for row in outcome.results {
            #expect(row.trainImages == 96 && row.testImages == 48 && row.split == "test")
            #expect(row.lower! <= row.value && row.value <= row.upper!)
        }
        #expect(outcome.results.first { $0.encoder == "random encoder" }?.seeds == 2)
        // Hue is what raw pixels show: a protocol that mixed up rows and labels would be at chance (1/6).
        #expect(outcome.results.first { $0.encoder == "raw pixels" && $0.protocolName == "linear" }!.value > 0.9)
        #expect(outcome.differences.count == 8)
    }

    @Test func accuracyIsThatOfTheFeatures() throws {
        let (train, test) = (Hues(count: 60, classes: 6), Hues(count: 36, classes: 6, shift: 2))
        let encoder = try makeEncoder()
        let outcome = try makeEvaluator()(encoder, name: "mine", train: train, test: test, folder: nil)
        let extraction = FeatureExtraction(imageSize: 16, threads: 0)
        func features(_ images: Hues) throws -> Features {
            let found = try encoder.evaluating { try extraction(images) { encoder($0) } }
            return Features(matrix: found.rows, labels: found.labels, classNames: images.classNames)
        }
        let direct = try NearestNeighbourClassifier().evaluate(train: features(train), test: features(test))
        #expect(outcome.results[0].value == direct.classification.top1!.estimate)
        #expect(outcome.results[0].setting == "k=\(direct.neighbours)")
    }

    @Test func evaluationLeavesTheEncoderAsItWas() throws {
        let encoder = try makeEncoder()
        let before = encoder.stateDict.mapValues { $0.bytes }
        _ = try makeEvaluator()(encoder, name: "mine", train: Hues(count: 36, classes: 3), test: nil, folder: nil)
        #expect(encoder.stateDict.mapValues { $0.bytes } == before)
    }

    @Test func withoutATestSplitOneIsLeftOut() throws {
        let outcome = try makeEvaluator()(makeEncoder(), name: "mine", train: Hues(count: 60, classes: 3), test: nil, folder: nil)
        let knn = outcome.results.first { $0.protocolName == "knn" }!
        #expect(knn.split == "leave-one-out" && knn.testImages == 60)
        let linear = outcome.results.first { $0.protocolName == "linear" }!
        #expect(linear.split == "held-out fifth" && linear.testImages == 12 && linear.trainImages == 48)
        // Five classes or fewer have no top-5.
        #expect(!outcome.results.contains { $0.metric == "top-5" })
    }

    @Test func theSameSeedGivesTheSameRows() throws {
        let (train, test) = (Hues(count: 48, classes: 4), Hues(count: 24, classes: 4, shift: 1))
        let first = try makeEvaluator()(makeEncoder(), name: "mine", train: train, test: test, folder: nil)
        let second = try makeEvaluator()(makeEncoder(), name: "mine", train: train, test: test, folder: nil)
        #expect(first.results == second.results && first.differences == second.differences)
    }

    @Test func unlabelledImagesAreRefusedInOneLine() throws {
        let error = #expect(throws: EvaluationError.self) {
            _ = try makeEvaluator()(makeEncoder(), name: "mine", train: Hues(count: 12, classes: 3).unlabelled, test: nil, folder: nil)
        }
        #expect(error?.description.contains("folder of its own") == true && error?.description.contains("\n") == false)
    }

    /// Of other images, or of protocols that were not asked for this time, nothing stays beside the new results.
    @Test func nothingOfAnEarlierEvaluationStays() throws {
        try withTemporaryFolder { folder in
            var evaluator = makeEvaluator()
            evaluator.seeds = 2
            evaluator.protocols = try ProtocolRegistry.protocols(
                "linear,robust", changes: ["robust.images=9", "robust.corruptions=fog", "robust.severities=1", "linear.penalties=2"])
            let (train, test) = (Hues(count: 36, classes: 3), Hues(count: 18, classes: 3, shift: 1))
            _ = try evaluator(makeEncoder(), name: "mine", train: train, test: test, folder: folder)
            func files() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: folder)) }
            let earlier: Set = ["robustness.json", "robustness.csv", "seeds.json", "seeds.csv", "mistakes.json"]
            #expect(try files().isSuperset(of: earlier.union(["results.json", "map.json"])))
            evaluator.seeds = 1
            evaluator.protocols = try ProtocolRegistry.protocols("knn", changes: [])
            _ = try evaluator(makeEncoder(), name: "mine", train: Hues(count: 24, classes: 2), test: nil, folder: folder)
            #expect(try files().isDisjoint(with: earlier) && files().isSuperset(of: ["results.json", "map.json"]))
        }
    }

    /// Before a single feature is read.
    @Test func whatCannotBeMeasuredIsSaidAtOnce() throws {
        for (list, change, part) in [
            ("knn,robust", "robust.severities=9", "robust.severities"), ("knn,linear", "linear.penalties=0", "linear.penalties"),
            ("knn,linear", "linear.penalties=9223372036854775807", "between 1 and 1000"),
            ("knn,linear", "linear.layers=foo", "--layers foo"),
            ("linear,cluster", "cluster.clusters=0", "cluster.clusters"), ("linear,knn", "knn.temperature=0", "knn.temperature"),
            ("knn,retrieve", "retrieve.depths=0", "retrieve.depths"), ("knn,cluster", "cluster.restarts=0", "cluster.restarts"),
            ("knn,mlp", "mlp.weightDecay=-1", "mlp.weightDecay"),
            ("knn,finetune", "", "needs a test split"), ("knn,transfer", "transfer.epochs=9223372036854775807", "epochs"),
            ("linear,knn", "knn.sweep=1,2", "knn.sweep"), ("knn,lowshot", "lowshot.draws=0", "lowshot"),
        ] {
            var evaluator = makeEvaluator()
            evaluator.protocols = try ProtocolRegistry.protocols(list, changes: change.isEmpty ? [] : [change])
            var begun: [String] = []
            evaluator.progress = { begun.append($0) }
            let error = #expect(throws: EvaluationError.self) {
                _ = try evaluator(makeEncoder(), name: "mine", train: Hues(count: 12, classes: 3), test: nil, folder: nil)
            }
            #expect(error?.description.contains(part) == true && error?.description.contains("\n") == false && begun.isEmpty, "\(change)")
        }
    }

    @Test func seedsBeyondOtherIntegersAreNumbersToo() throws {
        var evaluator = makeEvaluator()
        (evaluator.seed, evaluator.seeds, evaluator.randomEncoders) = (.max, 2, 0)
        evaluator.protocols = try ProtocolRegistry.protocols("knn", changes: [])
        let outcome = try evaluator(makeEncoder(), name: "mine", train: Hues(count: 12, classes: 3), test: nil, folder: nil)
        #expect(outcome.bySeed.count { $0.encoder == "mine" && $0.metric == "top-1" } == 2)
    }

    @Test func writesWhatTheReportReads() throws {
        try withTemporaryFolder { folder in
            let (train, test) = (Hues(count: 36, classes: 3), Hues(count: 18, classes: 3, shift: 1))
            let outcome = try makeEvaluator()(makeEncoder(), name: "mine", train: train, test: test, folder: folder)
            func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
                try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            }
            #expect(try decode([EvaluationResult].self, "results.json") == outcome.results)
            let sheet = try decode(NeighbourSheet.self, "neighbours.json")
            #expect(sheet.rows.count == 8 && sheet.rows.allSatisfy { $0.neighbours.count == 8 })
            for picture in sheet.rows.map(\.query.image) + sheet.rows.flatMap({ $0.neighbours.map(\.image) }) {
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(picture)"))
            }
            // Nearest first.
            for row in sheet.rows { #expect(row.neighbours.map { $0.similarity! } == row.neighbours.map { $0.similarity! }.sorted(by: >)) }
            let map = try decode(EmbeddingMap.self, "map.json")
            #expect(map.points.count == 18 && map.others?.map(\.method) == ["t-SNE", "UMAP"])
            #expect(map.others?[0].x.count == 18 && map.others?[0].y.count == 18 && map.others?[0].x != map.points.map(\.x))
            let mistakes = try decode(MistakeSheet.self, "mistakes.json")
            let linear = outcome.results.first { $0.encoder == "mine" && $0.protocolName == "linear" && $0.metric == "top-1" }!
            let right = mistakes.confusion.indices.reduce(0) { $0 + mistakes.confusion[$1][$1] }
            #expect(mistakes.classes == test.classNames && mistakes.confusion.map { $0.reduce(0, +) } == [6, 6, 6])
            #expect(Double(right) / 18 == linear.value && mistakes.worst.count == 18 - right)
            #expect(mistakes.worst.map(\.confidence) == mistakes.worst.map(\.confidence).sorted(by: >))
            for mistake in mistakes.worst {
                #expect(mistake.label != mistake.predicted && mistake.confidence > 1.0 / 3 - 1e-6)
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(mistake.image)"))
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(mistake.saliency!)"))
            }
            let lines = try String(contentsOfFile: "\(folder)/results.csv", encoding: .utf8).split(separator: "\n")
            #expect(lines.count == outcome.results.count + 1)
        }
    }
}
