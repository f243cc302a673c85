import Foundation
import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Features that lie in a file and are read where they are needed.
@Suite(.serialized) struct LargeFeatureTests {
    /// Rows around the centres of ten classes, made and written block by block.
    private func write(_ rows: Int, width: Int, seed: Int, to path: String) throws -> [Int] {
        let centres = normal(10, width, seed: 77) * 0.1
        let matrix = try GrowingMatrix(path, name: "rows", width: width)
        var labels: [Int] = []
        Runtime.seed(UInt64(seed))
        while labels.count < rows {
            let count = min(20_000, rows - labels.count)
            let block = (labels.count..<labels.count + count).map { ($0 * 7 + $0 / 10) % 10 }
            try matrix.add(Tensor.randn([count, width]) + centres.rows(Tensor(block)))
            labels += block
        }
        try matrix.finish(synced: false)
        return labels
    }

    private func mapped(_ path: String, _ labels: [Int]) throws -> Features {
        Features(matrix: try Safetensors.map(path).tensors["rows"]!, labels: labels, classNames: (0..<10).map { "\($0)" })
    }

    @Test func aMappedMatrixIsTheOneThatWasWritten() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/rows.safetensors"
            let matrix = try GrowingMatrix(path, name: "rows", width: 96)
            let blocks = (0..<4).map { normal(1000, 96, seed: UInt64($0)) }
            for block in blocks { try matrix.add(block) }
            #expect(!FileManager.default.fileExists(atPath: path))
            try matrix.finish(["labels": Tensor([3, 1, 2])], metadata: ["of": "test"])
            let whole = Tensor.concatenated(blocks)
            for content in [try Safetensors.read(path), try Safetensors.map(path)] {
                #expect(content.tensors["rows"]!.shape == [4000, 96] && content.tensors["rows"]!.bytes == whole.bytes)
                #expect(content.tensors["labels"]!.ints == [3, 1, 2] && content.metadata == ["of": "test"])
            }
            // It stays what it was when its file goes.
            let kept = try Safetensors.map(path).tensors["rows"]!
            try FileManager.default.removeItem(atPath: path)
            #expect(kept.rows(Tensor([5, 3999])).bytes == whole.rows(Tensor([5, 3999])).bytes)
        }
    }

    @Test func damagedFilesAreNotMapped() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/rows.safetensors"
            let matrix = try GrowingMatrix(path, name: "rows", width: 64)
            try matrix.add(normal(5000, 64, seed: 1))
            try matrix.finish()
            let bytes = try contents(of: path)
            try Data(bytes.dropLast(10)).write(to: URL(fileURLWithPath: path))
            #expect(throws: Safetensors.Malformed.self) { try Safetensors.map(path) }
            #expect(throws: (any Error).self) { try Safetensors.map("\(folder)/none") }
        }
    }

    @Test func rowsMadeInBlocksAreTheSame() throws {
        let matrix = normal(700, 37, seed: 5) * 3 + 2
        let rows = (0..<700).filter { $0 % 3 != 1 }
        let standardization = Standardization(of: matrix, rows: rows)
        let chosen = matrix.rows(Tensor(rows))
        #expect(largestDifference(standardization.apply(chosen).mean(0), .zeros([37])) < 1e-5)
        let (whole, blocks) = (
            StandardizedRows(matrix, rows: rows, standardization), StandardizedRows(matrix, rows: rows, standardization, copied: 0)
        )
        #expect(whole.count == rows.count && blocks.count == rows.count)
        #expect(whole[100..<200].bytes == blocks[100..<200].bytes)
        #expect(whole.rows(Tensor([4, 4, 460])).bytes == blocks.rows(Tensor([4, 4, 460])).bytes)
        #expect(whole.of(.float64)[0..<9].bytes == blocks.of(.float64)[0..<9].bytes)
        let targets = Tensor(rows.map { $0 % 5 })
        let parameters = normal(1, 5 * 38, seed: 6).reshaped(-1).to(.float64)
        let (a, b) = (
            SoftmaxRegression(features: whole, targets: targets, classes: 5, penalty: 0.5)(parameters),
            SoftmaxRegression(features: blocks, targets: targets, classes: 5, penalty: 0.5)(parameters)
        )
        #expect(a.loss == b.loss && a.gradient.bytes == b.gradient.bytes)
        let labels = rows.map { $0 % 5 }
        var descent = LinearProbe.Descent()
        (descent.epochs, descent.batch) = (2, 64)
        let found = [whole, blocks].map { features in
            let problem = LinearProbe.Problem(features: features, targets: labels, classes: 5)
            return MinibatchDescent(settings: descent, seed: 1).solve(problem, [0.01, 0.1])[1].weight
        }
        #expect(found[0].bytes == found[1].bytes)
    }

    @Test func classifiersOfMappedFeaturesAreThoseOfFeaturesInMemory() throws {
        try withTemporaryFolder { folder in
            let (train, test) = ("\(folder)/train.safetensors", "\(folder)/test.safetensors")
            let (labels, others) = (try write(6000, width: 64, seed: 1, to: train), try write(5000, width: 64, seed: 2, to: test))
            func both<Value: Equatable>(_ body: (Features, Features) throws -> Value) throws -> [Value] {
                func memory(_ path: String, _ labels: [Int]) throws -> Features {
                    Features(matrix: try Safetensors.read(path).tensors["rows"]!, labels: labels, classNames: (0..<10).map { "\($0)" })
                }
                return [try body(mapped(train, labels), mapped(test, others)), try body(memory(train, labels), memory(test, others))]
            }
            let neighbours = try both { try NearestNeighbourClassifier().evaluate(train: $0, test: $1) }
            #expect(neighbours[0] == neighbours[1])
            let linear = try both { try LinearProbe(.lbfgs(.init(values: [1]))).evaluate(train: $0, test: $1).classification }
            #expect(linear[0] == linear[1] && linear[0].top1!.estimate > 0.15)
        }
    }

    /// `FOVEA_LARGE_TESTS=<folder with 3 GB> swift test … --filter LargeFeatureTests` writes a million rows and says what it took:
    /// seconds, and the most memory beside the mapped files. `FOVEA_LARGE_ROWS` for another number of rows; the bound is the same.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_LARGE_TESTS"] != nil, "large: set FOVEA_LARGE_TESTS to a folder"))
    func aMillionRowsInBoundedMemory() throws {
        let environment = ProcessInfo.processInfo.environment
        let folder = environment["FOVEA_LARGE_TESTS"]!
        let (rows, width) = (environment["FOVEA_LARGE_ROWS"].flatMap { Int($0) } ?? 1_000_000, 512)
        let tested = min(10_000, rows)
        let (train, test) = ("\(folder)/large-train.safetensors", "\(folder)/large-test.safetensors")
        defer { for path in [train, test] { try? FileManager.default.removeItem(atPath: path) } }
        func measured<Value>(_ what: String, _ body: () throws -> Value) rethrows -> (Value, Int) {
            let memory = OwnMemory()
            let start = Date()
            let value = try body()
            let peak = memory.stop()
            print(String(format: "%@: %.0f s, at most %d MB of memory of its own", what, Date().timeIntervalSince(start), peak >> 20))
            return (value, peak)
        }
        let size = "\(rows) × \(width) features, \(tested) queries"
        let ((labels, others), _) = try measured("writing \(size)") {
            (try write(rows, width: width, seed: 1, to: train), try write(tested, width: width, seed: 2, to: test))
        }
        let (bank, queries) = (try mapped(train, labels), try mapped(test, others))
        let (knn, knnPeak) = try measured("kNN of \(size)") { try NearestNeighbourClassifier().evaluate(train: bank, test: queries) }
        print("kNN, k = \(knn.neighbours): \(knn.classification.top1!.estimate)")
        var descent = LinearProbe.Descent()
        (descent.epochs, descent.learningRates) = (2, [1e-4, 1e-3, 1e-2])
        let (sgd, sgdPeak) = try measured("linear of \(size), SGD, 3 learning rates, 2 epochs") {
            try LinearProbe(.descent(descent)).evaluate(train: bank, test: queries)
        }
        print("SGD: \(sgd.classification.top1!.estimate)")
        let (lbfgs, lbfgsPeak) = try measured("linear of \(size), L-BFGS, one penalty, at most 30 iterations") {
            try LinearProbe(.lbfgs(.init(values: [1], iterations: 30))).evaluate(train: bank, test: queries)
        }
        print("L-BFGS: \(lbfgs.classification.top1!.estimate) after \(lbfgs.fit.final.iterations) iterations")
        // Of a million rows a third at the most, where one copy would be all of them.
        for peak in [knnPeak, sgdPeak, lbfgsPeak] { #expect(peak < 1_000_000 * 512 * 4 / 3) }
        for found in [knn.classification, sgd.classification, lbfgs.classification] { #expect(found.scored.count == tested) }
        // Chance is a tenth.
        #expect(knn.classification.top1!.estimate > 0.2 && lbfgs.classification.top1!.estimate > 0.5)
    }
}

/// The most memory of the process's own, without what is mapped from files, while it lives; above what there was before.
private final class OwnMemory: @unchecked Sendable {
    private let lock = NSLock()
    private var (peak, runs) = (0, true)
    private let before = OwnMemory.now

    private static var now: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
    }

    init() {
        Thread.detachNewThread { [self] in
            while lock.withLock({ runs }) {
                let now = Self.now
                lock.withLock { peak = max(peak, now - before) }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
    }

    func stop() -> Int {
        lock.withLock {
            runs = false
            return peak
        }
    }
}
