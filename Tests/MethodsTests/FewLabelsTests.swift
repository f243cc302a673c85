import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// S4L, pseudo-label and entropy minimisation against generate_few_labels.py, and what they share with mean teacher.
@Suite struct FewLabelsTests {
    private func wrong(_ name: String, _ inputs: [String], _ loss: ([Tensor]) -> Tensor) throws -> Bool {
        try mistake(name, inputs, in: "few_labels", loss) != nil
    }

    @Test func exemplarLossIsThePapers() throws {
        #expect(try mistake("exemplar", ["z"], in: "few_labels") { Triplet.batchHard($0[0], images: 11) } == nil)
        #expect(try wrong("exemplar", ["z"]) { Triplet.batchHard($0[0], images: 5) }, "another order of copies")
        #expect(try wrong("exemplar", ["z"]) { Triplet.batchHard($0[0] * 1 + 0.1, images: 11) }, "moved embeddings")
        #expect(try wrong("exemplar", ["z"]) { Triplet.triplet($0[0][0..<22], margin: 0, mining: .hardest) }, "squared, with a hard margin")
        // Of rows that are all alike every distance is (almost) 0: ln 2, and a gradient that is a number.
        let same = Tensor.ones([12, 6], .float64)
        same.requiresGradient = true
        let loss = Triplet.batchHard(same, images: 4)
        #expect((loss.item - log(2.0)).magnitude < 1e-6)
        loss.backward()
        #expect(same.gradient?.isFinite().all().item == 1)
    }

    @Test func pseudoLabelAndEntropyAreThePapers() throws {
        let inputs = ["logits", "labels"]
        #expect(try mistake("entropy", inputs, in: "few_labels") { EntropyMinimization.entropy($0[0], $0[1]) } == nil)
        #expect(try mistake("pseudo_label", inputs, in: "few_labels") { PseudoLabel.loss($0[0], $0[1]) } == nil)
        let none = Tensor([Int](repeating: -1, count: 26))
        #expect(try wrong("entropy", inputs) { EntropyMinimization.entropy($0[0], none) }, "over all samples")
        #expect(try wrong("entropy", inputs) { EntropyMinimization.entropy($0[0], -$0[1] - 1) }, "over the labelled")
        #expect(try wrong("entropy", inputs) { EntropyMinimization.entropy($0[0], $0[1]) * 26 }, "a sum")
        #expect(try wrong("pseudo_label", inputs) { PseudoLabel.loss($0[0], none) }, "over all samples")
        #expect(try wrong("pseudo_label", inputs) { EntropyMinimization.entropy($0[0], $0[1]) }, "the entropy")
        // Where all have a label there is nothing to be certain of.
        let logits = Tensor.randn([6, 4], .float64)
        let all = Tensor([0, 1, 2, 3, 0, 1])
        #expect(EntropyMinimization.entropy(logits, all).item == 0 && PseudoLabel.loss(logits, all).item == 0)
        let uniform = EntropyMinimization.entropy(.zeros([6, 4], .float64), Tensor([-1, -1, 0, 1, 2, -1]))
        #expect((uniform.item - log(4.0)).magnitude < 1e-12)
        let values = try ReferenceValues.load("few_labels").under("ramp")
        for (step, value) in zip(values["steps"].ints, values["values"].doubles) {
            #expect((PseudoLabel.ramp(Double(step) / 90, from: 30 / 90.0, to: 50 / 90.0) - value).magnitude < 1e-12)
        }
        #expect(PseudoLabel.ramp(0.5, from: 0.5, to: 0.5) == 1 && PseudoLabel.ramp(0.4, from: 0.5, to: 0.5) == 0)
    }

    /// Every copy of a labelled image counts for the labels, and every copy of all images for the pretext task.
    @Test func s4lIsTheSumOfItsParts() throws {
        for (task, views) in [(S4L.Settings.Task.rotation, 4), (.exemplar, 3)] {
            Runtime.seed(6)
            var settings = S4L.Settings()
            (settings.task, settings.weight, settings.copies, settings.outputWidth) = (task, 0.7, 3, 33)
            let made = try S4L.views(settings, imageSize: 16).outputs
            #expect(made.count == views && made.allSatisfy { $0.imageSize == ImageSize(16) })
            let method = try S4L(settings, tinyContext())
            let batch = noise(views, 8, labels: [0, 3, 4, 1, -1, -1, -1, -1])
            let losses = method.loss(batch, firstStep)
            let h = method.encoder(.concatenated(batch.views))
            let rows = (0..<views).flatMap { view in (0..<4).map { 8 * view + $0 } }
            let labels = Tensor((0..<views).flatMap { _ in [0, 3, 4, 1] })
            let supervised = method.network.classifier(h.rows(Tensor(rows))).crossEntropy(labels)
            let tolerance = Tolerance(relative: 1e-4, absolute: 1e-5)
            expectClose(losses.parts[0].value, supervised, tolerance)
            let output = method.pretext(h)
            let pretext = task == .rotation ? RotNet.losses(output).total : Triplet.batchHard(output, images: 8)
            expectClose(losses.parts[1].value, pretext * 0.7, tolerance)
            #expect(losses.parts.map(\.name) == ["cross_entropy", task.rawValue])
            #expect(losses.measures.map(\.name) == (task == .rotation ? ["rotation_accuracy"] : []))
            losses.total.backward()
            #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
            #expect(method.logits(batch.views[0]).shape == [8, 5])
            #expect(method.classifierState?.keys.sorted() == ["classifier.bias", "classifier.weight"])
        }
    }

    @Test func baselinesAreTheSumOfTheirParts() throws {
        Runtime.seed(7)
        var settings = PseudoLabel.Settings()
        (settings.weight, settings.rampBegin, settings.rampEnd) = (2, 0.2, 0.6)
        let method = try PseudoLabel(settings, tinyContext())
        let batch = noise(1, 12, labels: (0..<12).map { $0 < 4 ? $0 : -1 })
        let logits = method.logits(batch.views[0])
        let own = PseudoLabel.loss(logits, batch.labels)
        let tolerance = Tolerance(relative: 1e-4, absolute: 1e-5)
        for (index, factor) in [(0, 0.0), (19, 0), (40, 1), (60, 2), (99, 2)] {
            let losses = method.loss(batch, Step(epoch: 0, index: index, total: 100))
            expectClose(losses.parts[0].value, Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0), tolerance)
            expectClose(losses.parts[1].value, own * factor, tolerance)
        }
        var other = EntropyMinimization.Settings()
        other.weight = 0.3
        let second = try EntropyMinimization(other, tinyContext())
        let losses = second.loss(batch, firstStep)
        expectClose(losses.parts[1].value, EntropyMinimization.entropy(second.logits(batch.views[0]), batch.labels) * 0.3, tolerance)
        for refused in [tinyContext(classCount: 1), tinyContext(classCount: 0)] {
            #expect(message { try S4L(.init(), refused) }?.hasPrefix("S4L needs at least 2 classes") == true)
        }
    }

    @Test func settingsThatMakeNoSenseAreRefused() {
        var s4l = S4L.Settings()
        s4l.copies = 1
        #expect(message { try s4l.validate() } == "method.copies must be 2 to 64, not 1")
        var pseudo = PseudoLabel.Settings()
        pseudo.rampEnd = 0.05
        #expect(message { try pseudo.validate() } == "method.rampBegin must not be above method.rampEnd, and 0.1 is above 0.05")
        var entropy = EntropyMinimization.Settings()
        entropy.labelledShare = 0
        #expect(message { try entropy.validate() } != nil)
    }
}
