import Backbones
import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Distillation and mean teacher against the formulas in float64 (generate_distillation.py).
@Suite struct DistillationTests {
    private func mistake(_ name: String, _ loss: (_ student: Tensor, _ teacher: Tensor, _ labels: Tensor) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("distillation")
        let (student, teacher) = (values["student"], values["teacher"])
        student.requiresGradient = true
        teacher.requiresGradient = true
        let value = loss(student, teacher, values["labels"])
        value.backward()
        if teacher.gradient != nil { return "the teacher has a gradient" }
        let gradient = try #require(student.gradient)
        return difference(value.detached(), values["\(name).loss"], .float64) ?? difference(gradient, values["\(name).gradient"], .float64)
    }

    @Test func distillationIsTheFormula() throws {
        let loss = Distillation.distillation
        #expect(try mistake("eq2") { student, teacher, _ in loss(student, teacher, 0.4) } == nil)
        #expect(try mistake("eq2") { student, teacher, _ in loss(student, teacher, 1) } != nil, "another temperature")
        #expect(try mistake("eq2") { student, teacher, _ in loss(student, teacher, 0.4) * 26 } != nil, "sum for mean")
        #expect(try mistake("eq2") { student, teacher, _ in loss(student, teacher, 0.4) * 0.16 } != nil, "τ² before it")
        #expect(try mistake("eq2") { student, teacher, _ in (student / 0.4).crossEntropy((teacher / 0.4).softmax(1)) } != nil, "gradient")
        #expect(try mistake("eq2") { student, teacher, _ in loss(student, teacher.rolled(1, dimension: 0), 0.4) } != nil, "samples shifted")
    }

    @Test func consistencyAndItsRampAreTheFormulas() throws {
        #expect(try mistake("consistency") { student, teacher, _ in MeanTeacher.consistency(student, teacher) } == nil)
        #expect(
            try mistake("consistency") { student, teacher, _ in MeanTeacher.consistency(student, teacher) * 34 } != nil, "sum over classes")
        #expect(try mistake("consistency") { s, t, _ in (s.softmax(1) - t.softmax(1)).squared().mean() } != nil, "gradient")
        #expect(try mistake("consistency") { s, t, _ in (s - t.detached()).squared().mean() } != nil, "logits")
        let values = try ReferenceValues.load("distillation").under("ramp")
        for (step, value) in zip(values["steps"].ints, values["values"].doubles) {
            #expect(abs(MeanTeacher.rampUp(Double(step), over: 60) - value) < 1e-12)
        }
        #expect(MeanTeacher.rampUp(0, over: 0) == 1)
    }

    /// A run folder's two files, as the trainer writes them.
    private func withTeacher(headWidth: Int = 0, _ body: (String, ClassifierNetwork) throws -> Void) throws {
        try withTemporaryFolder { folder in
            Runtime.seed(5)
            let teacher = ClassifierNetwork(try tinyContext().makeEncoder(), classes: 5, headWidth: headWidth)
            try EncoderFile.write(teacher.encoder, to: "\(folder)/encoder.safetensors")
            try Safetensors.write(teacher.classifierState, to: "\(folder)/classifier.safetensors")
            teacher.eval()
            try body(folder, teacher)
        }
    }

    @Test(arguments: [0, 7]) func teachersAreReadWhole(headWidth: Int) throws {
        try withTeacher(headWidth: headWidth) { folder, teacher in
            let read = try ClassifierNetwork.read(folder)
            read.eval()
            let pixels = noise(1, 6).views[0]
            expectClose(read(pixels), teacher(pixels), .float32)
            #expect(read.classCount == 5)
        }
    }

    @Test func lossIsThatOfItsPartsAndTheTeacherStandsStill() throws {
        try withTeacher(headWidth: 6) { folder, teacher in
            var settings = Distillation.Settings()
            (settings.teacher, settings.temperature, settings.labelWeight) = (folder, 0.4, 0.3)
            let method = try Distillation(settings, tinyContext(width: 8))
            let batch = noise(1, 12, labels: [0, 1, 2, 3, 4, -1, -1, -1, -1, -1, -1, -1])
            let before = method.teacher.stateDict.mapValues { $0.bytes }
            let losses = method.loss(batch, firstStep)
            #expect(losses.parts.map(\.name) == ["distillation", "cross_entropy"])
            #expect(method.teacher.stateDict.mapValues { $0.bytes } == before)
            losses.total.backward()
            #expect(method.teacher.parameters.allSatisfy { $0.value.gradient == nil })
            #expect(method.student.parameters.allSatisfy { $0.value.gradient != nil })
            // eq. 3 of the formulas in generate_distillation.py, whose logits these stand for.
            #expect(
                try mistake("eq3") { student, other, labels in
                    Distillation.distillation(student, other, temperature: 0.4) * 0.7
                        + Supervised.crossEntropy(student, labels, labelSmoothing: 0) * 0.3
                } == nil)
            let logits = method.student(batch.views[0])
            let expected =
                Distillation.distillation(logits, teacher(batch.views[0]), temperature: 0.4) * 0.7
                + Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0) * 0.3
            expectClose(losses.total.detached(), expected.detached(), .float32)
            settings.labelWeight = 0
            #expect(try Distillation(settings, tinyContext()).loss(batch, firstStep).parts.map(\.name) == ["distillation"])
        }
    }

    @Test func whatIsNoTeacherIsRefusedInOneLine() throws {
        try withTemporaryFolder { folder in
            var settings = Distillation.Settings()
            for path in ["", folder] {
                settings.teacher = path
                let text = try #require(message { try Distillation(settings, tinyContext()) })
                #expect(text.contains("no finished run of a classifier") && !text.contains("\n"))
            }
        }
        var settings = Distillation.Settings()
        settings.temperature = 0
        #expect(message { try settings.validate() } == "method.temperature must be above 0, not 0.0")
    }

    // MARK: Mean teacher

    @Test func meanTeacherIsThePartsOfItsLoss() throws {
        Runtime.seed(2)
        var settings = MeanTeacher.Settings()
        (settings.consistencyWeight, settings.rampUp) = (40, 0.5)
        let method = try MeanTeacher(settings, tinyContext())
        let batch = noise(2, 16, labels: (0..<16).map { $0 < 4 ? $0 : -1 })
        let losses = method.loss(batch, Step(epoch: 0, index: 20, total: 100))
        let (logits, target) = (method.student(batch.views[0]), method.teacher(batch.views[1]))
        expectClose(losses.parts[0].value, Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0), .float32)
        expectClose(losses.parts[1].value, MeanTeacher.consistency(logits, target) * (40 * exp(-5 * 0.36)), .float32)
        losses.total.backward()
        #expect(method.student.parameters.allSatisfy { $0.value.gradient != nil })
        #expect(method.teacher.parameters.allSatisfy { $0.value.gradient == nil && !$0.isTrainable })
        // α of 0.99 until the weight has risen, then 0.999.
        let average = method.movingAverages[0]
        #expect(abs(average.decay.value(at: 49, of: 100) - 0.99) < 1e-12 && abs(average.decay.value(at: 50, of: 100) - 0.999) < 1e-12)
        #expect(average.source === method.student && average.target === method.teacher && method.encoder === method.teacher.encoder)
    }

    @Test func everyBatchHasItsShareOfLabels() {
        let (known, unknown) = (Array(0..<10), Array(10..<200))
        let order = FewLabels.order(known, unknown, batch: 16, batches: 12, share: 0.25) { Array((0..<$0).reversed()) }
        #expect(order.count == 192)
        for start in stride(from: 0, to: 192, by: 16) {
            let batch = order[start..<start + 16]
            #expect(batch.count { $0 < 10 } == 4 && Set(batch).count == 16)
        }
        // All labels come equally often, and no image without one comes twice before all came once.
        let counts = known.map { index in order.count { $0 == index } }
        #expect(counts.max()! - counts.min()! <= 1)
        #expect(Set(order.filter { $0 >= 10 }).count == 144)
    }
}
