import Embeddings
import Foundation
import Testing
import Torch

@Suite struct CollapseTests {
    private let healthy = try! RepresentationHealth.measure(normal(500, 64, seed: 50))

    @Test func healthyIsNone() {
        let found = Collapse.diagnose(representation: healthy, projection: healthy)
        #expect(found.kind == .none && found.place == nil)
        #expect(found.explanation.contains("no collapse"))
    }

    @Test func constantVectors() throws {
        let constant = try RepresentationHealth.measure(normal(1, 64, seed: 51) + normal(500, 64, seed: 52) * 0.01)
        let found = Collapse.diagnose(representation: constant)
        #expect(found.kind == .constant && found.place == .representation)
        #expect(found.explanation.contains("nearly the same"))
        let projection = Collapse.diagnose(representation: healthy, projection: constant)
        #expect(projection.kind == .constant && projection.place == .projection)
        // Who tells rotations has no stop-gradient to check.
        #expect(found.explanation.contains("stop-gradient"))
        let given = Collapse.diagnose(representation: constant, remedy: "turn it")
        #expect(given.kind == .constant && given.explanation.hasSuffix(": turn it"))
    }

    @Test func fewDirections() throws {
        let low = try RepresentationHealth.measure(normal(500, 2, seed: 53).matmul(normal(2, 64, seed: 54)))
        #expect(low.deviationRatio > 0.5)
        let found = Collapse.diagnose(representation: healthy, projection: low)
        #expect(found.kind == .dimensional && found.place == .projection)
        #expect(Collapse.diagnose(representation: low).place == .representation)
        let given = Collapse.diagnose(representation: low, remedy: "turn it")
        #expect(given.kind == .dimensional && given.explanation.hasSuffix(": turn it"))
        // Ten directions of 64 are above 5 %.
        let ten = try RepresentationHealth.measure(normal(500, 10, seed: 55).matmul(normal(10, 64, seed: 56)))
        #expect(Collapse.diagnose(representation: ten).kind == .none)
        #expect(Collapse.leastRank(rows: 500, width: 64) == 3.2 && Collapse.leastRank(rows: 10, width: 64) == 2)
    }

    @Test func damaged() throws {
        let matrix = normal(500, 64, seed: 57)
        matrix.indexCopyInPlace(0, Tensor([3]), Tensor.full([1, 64], .nan))
        let found = Collapse.diagnose(representation: healthy, projection: try .measure(matrix))
        #expect(found.kind == .notFinite && found.place == .projection && found.explanation.contains("1 of 500 rows"))
        #expect(Collapse.diagnose(representation: try .measure(.full([5, 4], .nan))).kind == .notFinite)
    }

    @Test func targets() throws {
        let one = try TargetUse((normal(100, 50, seed: 58) + Tensor.eye(50)[7] * 30).softmax())
        #expect(Collapse.diagnose(representation: healthy, targets: one).kind == .onePrototype)
        let flat = try TargetUse((normal(100, 50, seed: 59) * 0.01).softmax())
        #expect(Collapse.diagnose(representation: healthy, targets: flat).kind == .uniformTargets)
        let fine = try TargetUse((normal(100, 50, seed: 60) * 8).softmax())
        #expect(Collapse.diagnose(representation: healthy, targets: fine).kind == .none)
    }

    /// Targets that are all alike come with constant vectors, and say more of the cause.
    @Test func targetsAreToldBeforeConstantVectors() throws {
        let constant = try RepresentationHealth.measure(.ones([100, 16]))
        let flat = TargetUse(outcomes: 50, meanEntropy: log(50), entropyOfMean: log(50))
        let found = Collapse.diagnose(representation: constant, projection: constant, targets: flat)
        #expect(found.kind == .uniformTargets && found.explanation.hasPrefix("uniform collapse"))
        let one = TargetUse(outcomes: 50, meanEntropy: 0, entropyOfMean: 0)
        #expect(Collapse.diagnose(representation: constant, targets: one).explanation.hasPrefix("one-hot collapse"))
        let mixed = TargetUse(outcomes: 50, meanEntropy: 2, entropyOfMean: 2)
        #expect(Collapse.diagnose(representation: constant, targets: mixed).explanation.hasPrefix("constant collapse"))
    }

    /// Length matters only to losses that do not divide by it.
    @Test func shrunkenProjections() throws {
        let small = try RepresentationHealth.measure(normal(500, 64, seed: 61) * 0.05)
        #expect(abs(small.deviation - 0.05) < 0.001)
        #expect(Collapse.diagnose(representation: healthy, projection: small).kind == .none)
        let found = Collapse.diagnose(representation: healthy, projection: small, hasScale: true)
        #expect(found.kind == .constant && found.place == .projection && found.explanation.contains("variance term"))
        #expect(Collapse.diagnose(representation: small, projection: healthy, hasScale: true).kind == .none)
    }

    @Test func explanationsAreOneLine() throws {
        let all = [
            Collapse.diagnose(representation: healthy), Collapse.diagnose(representation: try .measure(.ones([9, 4]))),
            Collapse.diagnose(representation: healthy, targets: TargetUse(outcomes: 9, meanEntropy: 0, entropyOfMean: 0)),
            Collapse.diagnose(representation: healthy, targets: TargetUse(outcomes: 9, meanEntropy: log(9), entropyOfMean: log(9))),
        ]
        #expect(Set(all.map(\.kind)).count == 4)
        for found in all { #expect(!found.explanation.contains("\n") && found.explanation.count > 30) }
    }
}
