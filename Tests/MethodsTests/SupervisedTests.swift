import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// The loss against its formula in float64 (generate.py, `supervised` and `supervised_smoothed`).
@Suite struct SupervisedTests {
    private func mistake(_ name: String = "supervised", _ loss: (Tensor, Tensor) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("methods").under(name)
        let logits = values["logits"]
        logits.requiresGradient = true
        let value = loss(logits, values["labels"])
        value.backward()
        let gradient = try #require(logits.gradient)
        return difference(value.detached(), values["loss"], .float64) ?? difference(gradient, values["gradient.logits"], .float64)
    }

    @Test func lossAndGradientAreTheFormulas() throws {
        #expect(try mistake { Supervised.crossEntropy($0, $1, labelSmoothing: 0) } == nil)
        #expect(try mistake("supervised_smoothed") { Supervised.crossEntropy($0, $1, labelSmoothing: 0.15) } == nil)
    }

    @Test func wrongVariantsAreNoticed() throws {
        let right = { (logits: Tensor, labels: Tensor) in Supervised.crossEntropy(logits, labels, labelSmoothing: 0) }
        #expect(try mistake("supervised_smoothed", right) != nil, "no smoothing")
        #expect(try mistake { Supervised.crossEntropy($0, $1, labelSmoothing: 0.15) } != nil, "smoothing")
        #expect(try mistake { right($0, $1) * 22 } != nil, "sum for mean")
        #expect(try mistake { right($0, $1) * (22.0 / 24) } != nil, "mean over samples without a label too")
        #expect(try mistake { right($0, $1.rolled(1, dimension: 0)) } != nil, "labels shifted")
        #expect(try mistake { right($0, $1.clamped(0).to(.int64)) } != nil, "no label taken for the first class")
    }

    @Test func gradientIsTheDifferenceQuotient() {
        Runtime.seed(1)
        let labels = Tensor([2, 0, -1, 4, 4])
        checkGradient(at: .randn([5, 6], .float64)) { Supervised.crossEntropy($0[0], labels, labelSmoothing: 0.1) }
    }

    @Test func uniformLogitsGiveTheLogarithmOfTheClasses() {
        let labels = Tensor((0..<20).map { $0 % 10 })
        expectClose(Supervised.crossEntropy(.ones([20, 10], .float64), labels, labelSmoothing: 0), Tensor(scalar: log(10.0)), .float64)
    }

    /// The mean over no sample would not be a number, and end the run.
    @Test func batchWithoutLabelsHasNoLoss() {
        let logits = Tensor.randn([4, 6])
        logits.requiresGradient = true
        let loss = Supervised.crossEntropy(logits, Tensor([-1, -1, -1, -1]), labelSmoothing: 0.1)
        #expect(loss.item == 0)
        loss.backward()
        #expect(logits.gradient?.abs().max().item == 0)
    }

    @Test func lossIsThatOfItsParts() throws {
        Runtime.seed(2)
        var settings = Supervised.Settings()
        settings.labelSmoothing = 0.2
        let method = try Supervised(settings, tinyContext(classCount: 5))
        let batch = noise(1, 12, labels: [0, 1, 2, 3, 4, -1, 0, 1, 2, 3, 4, -1])
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["cross_entropy"])
        let logits = method.logits(batch.views[0])
        #expect(logits.shape == [12, 5])
        expectClose(losses.total, logits.crossEntropy(batch.labels, labelSmoothing: 0.2, ignoring: -1), .float32)
        losses.total.backward()
        #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
        #expect(method.stateDict["classifier.weight"]?.shape == [5, 32])
        #expect(Supervised.card.needsLabels)
    }

    @Test func needsTwoClasses() {
        #expect(
            message { try Supervised(Supervised.Settings(), tinyContext(classCount: 1)) }
                == "supervised training needs at least 2 classes, and the data have 1")
    }
}
