import Backbones
import Embeddings
import Foundation
import TestSupport
import Testing
import Torch
import Training
import Views

@testable import Evaluation

/// Baselines are measured once, and what was remembered is what would have been found.
@Suite(.serialized) struct BaselineScoresTests {
    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private var read = 0
        var count: Int { lock.withLock { read } }
        func add() { lock.withLock { read += 1 } }
    }

    private struct Counted: ImageDataset {
        let base: Labelled
        var counter = Counter()
        var turned = 0
        var hasFingerprints = true

        var count: Int { base.count }
        var classNames: [String] { base.classNames }
        func label(at index: Int) -> Int? { base.label(at: index).map { ($0 + turned) % base.classNames.count } }
        func name(at index: Int) -> String { base.name(at: index) }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            counter.add()
            return try base.image(at: index, coveringAtLeast: target)
        }
        func fingerprint(at index: Int) -> UInt64? { hasFingerprints ? UInt64(index) : nil }
    }

    private func encoder(_ seed: UInt64, width: Int = 4) throws -> Encoder {
        Runtime.seed(seed)
        return try Encoder(BackboneSettings("resnet18", width: width), imageSize: 16)
    }

    private func evaluator(
        _ cache: FeatureCache?, _ protocols: String = "knn,lowshot,mlp",
        _ changes: [String] = [
            "lowshot.draws=2", "lowshot.shots=1,2", "mlp.epochs=1", "mlp.learningRates=0.1",
        ]
    ) throws -> Evaluator {
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols(protocols, changes: changes)
        (evaluator.cache, evaluator.loaderThreads, evaluator.randomEncoders, evaluator.seeds) = (cache, 1, 2, 2)
        return evaluator
    }

    private func outcome(_ evaluator: Evaluator, _ encoder: Encoder, _ train: Counted, _ test: Counted) throws -> Evaluator.Outcome {
        try evaluator(encoder, name: "own", train: train, test: test, folder: nil)
    }

    private func entries(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("baseline-") }.sorted()
    }

    @Test func anotherEncoderFindsTheBaselinesMeasured() throws {
        try withTemporaryFolder { folder in
            let (train, test) = (Counted(base: .cycling(30, 3)), Counted(base: .cycling(15, 3, stream: 1)))
            let plain = try outcome(evaluator(nil), encoder(4), train, test)
            let remembering = try evaluator(FeatureCache(folder))
            _ = try outcome(remembering, encoder(3), train, test)
            // Three protocols of two random encoders and of raw pixels, under two seeds each.
            #expect(try entries(folder).count == 18)
            let second = try outcome(remembering, encoder(4), train, test)
            #expect(second.results == plain.results && second.differences == plain.differences && second.bySeed == plain.bySeed)
            #expect(try entries(folder).count == 18)

            // What was measured of both is not measured again: no image is read, not even to calibrate.
            let before = train.counter.count + test.counter.count
            var knn = try evaluator(FeatureCache(folder), "knn", [])
            _ = try outcome(knn, encoder(4), train, test)
            #expect(train.counter.count + test.counter.count == before)
            // A new setting is measured, from the features that are there; only calibrating reads images.
            knn.protocols = try ProtocolRegistry.protocols("knn", changes: ["knn.neighbours=3"])
            _ = try outcome(knn, encoder(4), train, test)
            #expect(try entries(folder).count == 24 && test.counter.count + train.counter.count > before)
        }
    }

    @Test func otherImagesLabelsNetworksAndSeedsAreOtherBaselines() throws {
        try withTemporaryFolder { folder in
            let (train, test) = (Counted(base: .cycling(30, 3)), Counted(base: .cycling(15, 3, stream: 1)))
            let cache = FeatureCache(folder)
            func made(width: Int = 4, _ change: (inout Evaluator, inout Counted, inout Counted) -> Void) throws -> Int {
                var evaluator = try evaluator(cache, "knn", [])
                (evaluator.randomEncoders, evaluator.seeds) = (1, 1)
                var (train, test) = (train, test)
                change(&evaluator, &train, &test)
                let before = (try? entries(folder).count) ?? 0
                let found = try outcome(evaluator, encoder(3, width: width), train, test)
                evaluator.cache = nil
                #expect(try outcome(evaluator, encoder(3, width: width), train, test).results == found.results)
                return try entries(folder).count - before
            }
            let counts = [
                try made { _, _, _ in },
                try made { _, _, _ in },
                try made { _, train, _ in train.turned = 1 },
                try made { _, _, test in test.turned = 1 },
                try made { evaluator, _, _ in evaluator.seed = 5 },
                try made { evaluator, _, _ in evaluator.batchSize = 7 },
                // Raw pixels are the same for every network.
                try made(width: 6) { _, _, _ in },
                try made { _, train, _ in train.hasFingerprints = false },
            ]
            #expect(counts == [2, 0, 2, 2, 2, 2, 1, 0])
        }
    }

    @Test func aDamagedEntryIsMadeAnew() throws {
        try withTemporaryFolder { folder in
            let (train, test) = (Counted(base: .cycling(30, 3)), Counted(base: .cycling(15, 3, stream: 1)))
            let evaluator = try evaluator(FeatureCache(folder), "knn", [])
            let first = try outcome(evaluator, encoder(3), train, test)
            for name in try entries(folder) { try "[{".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8) }
            #expect(try outcome(evaluator, encoder(3), train, test).results == first.results)
            let content = try entries(folder).map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
            #expect(content.allSatisfy { $0.count > 100 })
        }
    }
}
