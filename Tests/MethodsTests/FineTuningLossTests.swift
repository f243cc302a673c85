import Backbones
import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// What fine-tuning adds to supervised training, against generate_finetuning.py.
@Suite struct FineTuningLossTests {
    private func mistake(_ loss: (Tensor, Tensor, Tensor) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("finetuning").under("mixup")
        let logits = values["logits"]
        logits.requiresGradient = true
        let value = loss(logits, values["labels"], values["partners"])
        value.backward()
        let gradient = try #require(logits.gradient)
        return difference(value.detached(), values["loss"], .float64) ?? difference(gradient, values["gradient"], .float64)
    }

    private func mixed(_ share: Double, _ logits: Tensor, _ own: Tensor, _ other: Tensor) -> Tensor {
        Supervised.mixed(share) { Supervised.crossEntropy(logits, $0 ? own : other, labelSmoothing: 0) }
    }

    @Test func mixUpIsTheCrossEntropyWithMixedLabels() throws {
        #expect(try mistake { mixed(0.27, $0, $1, $1.rows($2)) } == nil)
        #expect(try mistake { mixed(0.73, $0, $1, $1.rows($2)) } != nil, "shares exchanged")
        #expect(try mistake { logits, labels, _ in mixed(0.27, logits, labels, labels) } != nil, "labels not mixed")
    }

    /// The images must be mixed with the same partners and share as the labels.
    @Test func mixUpMixesImagesAsLabels() throws {
        var settings = Supervised.Settings()
        settings.mixUp = 0.4
        Runtime.seed(6)
        let method = try Supervised(settings, tinyContext(classCount: 5))
        method.eval()
        let batch = noise(1, 10)
        Runtime.seed(11)
        let loss = method.loss(batch, firstStep).total
        Runtime.seed(11)
        let share = Tensor.randomBeta(0.4, 0.4)
        let partners = Tensor.randomPermutation(10)
        let pixels = batch.views[0].to(.float32)
        let logits = method.logits(pixels * share + pixels.rows(partners) * (1 - share))
        expectClose(loss, mixed(share, logits, batch.labels, batch.labels.rows(partners)), .float32)
        #expect(share > 0 && share < 1)
        // Of whole images it is another loss.
        #expect(abs(loss.item - Supervised.crossEntropy(method.logits(pixels), batch.labels, labelSmoothing: 0).item) > 1e-4)
    }

    @Test func betaHasItsMoments() {
        Runtime.seed(3)
        let draws = (0..<4000).map { _ in Tensor.randomBeta(0.5, 1.5) }
        let mean = draws.reduce(0, +) / 4000
        let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
        // a / (a + b) = 0.25 and ab / ((a + b)² (a + b + 1)) = 0.0625.
        #expect(abs(mean - 0.25) < 0.015 && abs(variance - 0.0625) < 0.006)
    }

    @Test func eachDepthHasItsRateAndEveryParameterOne() throws {
        var settings = Supervised.Settings()
        settings.layerDecay = 0.5
        settings.headWidth = 12
        let method = try Supervised(settings, tinyContext(classCount: 3))
        let parts = method.phases[0].parts
        #expect(parts.map(\.learningRateScale) == [0.03125, 0.0625, 0.125, 0.25, 0.5, 1, 1])
        let all = parts.flatMap(\.parameters).map { ObjectIdentifier($0) }
        #expect(all.count == Set(all).count && Set(all) == Set(method.parameters.map { ObjectIdentifier($0) }))
        #expect(parts[0].parameters.contains { $0 === method.encoder.namedParameters[0].parameter })
        let (backbone, keys) = (method.encoder.backbone, method.encoder.namedParameters.map(\.key))
        #expect(keys.filter { backbone.depth(ofParameter: $0) == 0 } == ["conv1.weight", "bn1.weight", "bn1.bias"])
        #expect(keys.allSatisfy { key in backbone.depth(ofParameter: key) == (0...4).first { key.hasPrefix("layer\($0).") } ?? 0 })
        settings.layerDecay = 1
        #expect(try Supervised(settings, tinyContext(classCount: 3)).phases[0].parts.count == 1)
    }

    @Test func headHasTheKeysOfAProjectorsFirstLayer() throws {
        var settings = Supervised.Settings()
        settings.headWidth = 12
        func head() throws -> [String] { try #require(try Supervised(settings, tinyContext()).head).stateDict.keys.sorted() }
        #expect(try head() == ["0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight"])
        settings.headBatchNorm = false
        #expect(try head() == ["0.bias", "0.weight"])
        settings.zeroInitClassifier = true
        let method = try Supervised(settings, tinyContext())
        #expect(method.logits(noise(1, 4).views[0]).abs().max().item == 0)
    }

    @Test func settingsThatMakeNoSenseAreRefused() {
        func refusal(_ change: (inout Supervised.Settings) -> Void) -> String? {
            var settings = Supervised.Settings()
            change(&settings)
            return message { try settings.validate() }
        }
        #expect(refusal { $0.layerDecay = 0 } == "method.layerDecay must be above 0 and at most 1, not 0.0")
        #expect(refusal { $0.layerDecay = 1.1 } != nil && refusal { $0.layerDecay = 0.5 } == nil)
        #expect(refusal { $0.mixUp = -0.1 } != nil && refusal { $0.headWidth = -1 } != nil)
    }
}
