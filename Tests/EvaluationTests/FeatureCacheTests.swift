import Backbones
import Embeddings
import Foundation
import TestSupport
import Testing
import Torch
import Training
import Views

@testable import Evaluation

/// Counts what is read, so that a pass over the images can be told from none.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var read = 0
    var count: Int { lock.withLock { read } }
    func add() { lock.withLock { read += 1 } }
}

private struct Counted: ImageDataset {
    let base: Labelled
    let counter: Counter
    var version: UInt64 = 0
    var broken = -1

    var count: Int { base.count }
    var classNames: [String] { base.classNames }
    func label(at index: Int) -> Int? { base.label(at: index) }
    func name(at index: Int) -> String { base.name(at: index) }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        counter.add()
        if index == broken { throw .corrupt(format: .png, reason: "it is cut off") }
        return try base.image(at: index, coveringAtLeast: target)
    }
    func fingerprint(at index: Int) -> UInt64? { version &+ UInt64(index) }
}

@Suite(.serialized) struct FeatureCacheTests {
    private func makeEncoder(_ seed: UInt64 = 3) throws -> Encoder {
        Runtime.seed(seed)
        return try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
    }

    private func features(_ images: any ImageDataset, _ encoder: Encoder, _ cache: FeatureCache?) throws -> EvaluationData.Splits {
        let extraction = FeatureExtraction(imageSize: 16, batchSize: 7, threads: 1)
        return try EvaluationData(train: images, test: nil, extraction: extraction, seed: 0, cache: cache)
            .splits(of: .encoder(encoder, name: "mine"))
    }

    @Test func featuresAreReadOnceAndAreTheSame() throws {
        try withTemporaryFolder { folder in
            let cache = FeatureCache("\(folder)/cache")
            let counter = Counter()
            let images = Counted(base: .cycling(20, 3), counter: counter, broken: 4)
            let encoder = try makeEncoder()
            let direct = try features(images, encoder, nil)
            let before = counter.count
            let first = try features(images, encoder, cache)
            #expect(counter.count - before == 20)
            let second = try features(images, encoder, cache)
            // Nothing but the remembered pass.
            #expect(counter.count - before == 20)
            for found in [first, second] {
                #expect(found.train.matrix.bytes == direct.train.matrix.bytes)
                #expect(found.train.labels == direct.train.labels && found.train.names == direct.train.names)
                #expect(found.unreadable == direct.unreadable && found.unreadable.count == 1)
                #expect(found.trainImages.indices == direct.trainImages.indices)
            }
            #expect(try names(in: cache.folder).count == 1)
        }
    }

    @Test func otherContentIsAnotherEntry() throws {
        try withTemporaryFolder { folder in
            let cache = FeatureCache(folder)
            let counter = Counter()
            var images = Counted(base: .cycling(12, 3), counter: counter)
            let encoder = try makeEncoder()
            func read(_ images: any ImageDataset, _ encoder: Encoder) throws -> Int {
                let before = counter.count
                _ = try features(images, encoder, cache)
                return counter.count - before
            }
            #expect(try read(images, encoder) == 12)
            // One weight, one image, one image fewer, another order.
            let other = try makeEncoder()
            var weights = other.stateDict
            let key = weights.keys.sorted().first { $0.hasSuffix("weight") }!
            weights[key] = weights[key]! + 1e-3
            try other.load(weights)
            #expect(try read(images, other) == 12)
            images.version = 1 << 40
            #expect(try read(images, encoder) == 12)
            #expect(try read(images.subset(Array(0..<11)), encoder) == 11)
            #expect(try read(images.subset(Array((0..<12).reversed())), encoder) == 12)
            #expect(try read(images, encoder) == 0)
            // Labels are no part of it: they are read from the data anew.
            let relabelled = Counted(base: Labelled(labels: [Int?](repeating: 1, count: 12), classNames: ["a", "b"]), counter: counter)
            var same = relabelled
            same.version = images.version
            #expect(try read(same, encoder) == 0)
            #expect(try features(same, encoder, cache).train.labels == [Int](repeating: 1, count: 12))
        }
    }

    @Test func damagedEntriesAreMadeAnewAndImagesWithoutFingerprintsAreNotKept() throws {
        try withTemporaryFolder { folder in
            let cache = FeatureCache("\(folder)/cache")
            let images = Counted(base: .cycling(9, 3), counter: Counter())
            let encoder = try makeEncoder()
            let direct = try features(images, encoder, cache)
            let file = "\(cache.folder)/\(try names(in: cache.folder)[0])"
            try Data("nothing".utf8).write(to: URL(fileURLWithPath: file))
            #expect(try features(images, encoder, cache).train.matrix.bytes == direct.train.matrix.bytes)
            _ = try features(Labelled.cycling(9, 3), encoder, cache)
            #expect(try names(in: cache.folder).count == 1)
        }
    }

    @Test func theOldestGoFirst() throws {
        try withTemporaryFolder { folder in
            var cache = FeatureCache(folder)
            let encoder = try makeEncoder()
            var images = Counted(base: .cycling(9, 3), counter: Counter())
            for version in 1...3 {
                images.version = UInt64(version) << 40
                _ = try features(images, encoder, cache)
                let now = Date().addingTimeInterval(Double(version) * 60 - 1000)
                for name in try names(in: folder) {
                    let path = "\(folder)/\(name)"
                    let used = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as! Date
                    guard used.timeIntervalSinceNow > -100 else { continue }
                    try FileManager.default.setAttributes([.modificationDate: now], ofItemAtPath: path)
                }
            }
            let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(names(in: folder)[0])")[.size] as! Int
            cache.limit = 3 * size
            images.version = 4 << 40
            _ = try features(images, encoder, cache)
            #expect(try names(in: folder).count == 3)
            // The first is gone, the others are not.
            images.version = 2 << 40
            let counter = images.counter.count
            _ = try features(images, encoder, cache)
            #expect(images.counter.count == counter)
            images.version = 1 << 40
            _ = try features(images, encoder, cache)
            #expect(images.counter.count == counter + 9)
        }
    }

    @Test func allLayersTakeOnePass() throws {
        try withTemporaryFolder { folder in
            let counter = Counter()
            let train = Counted(base: .cycling(30, 3), counter: counter)
            let test = Counted(base: .cycling(15, 3, stream: 1), counter: counter)
            var evaluator = Evaluator()
            evaluator.protocols = try ProtocolRegistry.protocols(
                "linear", changes: ["linear.layers=all", "linear.penalties=1", "linear.pooledWidth=64"])
            evaluator.cache = FeatureCache(folder)
            evaluator.loaderThreads = 1
            let remembered = try evaluator.measure(makeEncoder(), train: train, test: test)
            // The output and all five layers: two passes.
            #expect(counter.count == 2 * 45)
            evaluator.cache = nil
            #expect(try evaluator.measure(makeEncoder(), train: train, test: test) == remembered)
        }
    }
}
