import TestSupport
import Testing
import Torch

/// Clipping against `clip_grad_norm_`, and moving averages against their formula.
@Suite struct GradientNormTests {
    @Test(arguments: [("clip", 1.5), ("clip_loose", 1e4)]) func clipsAsTorch(_ kind: String, _ limit: Double) throws {
        let values = try ReferenceValues.load("optimizers")
        let names = ["matrix", "kernel", "vector"]
        let parameters = names.map { name in
            let parameter = Parameter(values["start.\(name)"])
            parameter.value.gradient = values["noise.\(name)"].to(.float64)[0]
            return parameter
        }
        let without = Parameter(.ones([2]))
        let norm = try #require(Gradients.clip(parameters + [without], norm: limit))
        expectClose(norm, values["\(kind).norm"], .float64)
        for (name, parameter) in zip(names, parameters) {
            expectClose(try #require(parameter.value.gradient), values["\(kind).\(name)"], .float64, "\(name)")
        }
        #expect(try #require(Gradients.norm(parameters)).item <= limit)
        #expect(without.value.gradient == nil)
    }

    @Test func noGradientsHaveNoNorm() {
        #expect(Gradients.norm([Parameter(.ones([2]))]) == nil)
        #expect(Gradients.clip([], norm: 1) == nil)
    }

    @Test func averagesMoveByTheFormula() {
        let sources = [Tensor.randn([16, 32], .float64), Tensor.randn([8], .float64)]
        let targets = [Tensor.randn([16, 32], .float64), Tensor.randn([8], .float64)]
        let expected = zip(targets, sources).map { $0 * 0.99 + $1 * (1 - 0.99) }
        let addresses = targets.map(\.address)
        Averaging.update(targets, towards: sources, decay: 0.99)
        for (target, expected) in zip(targets, expected) { expectClose(target, expected, .float64) }
        #expect(targets.map(\.address) == addresses)
        Averaging.update(targets, towards: sources, decay: 1)
        for (target, expected) in zip(targets, expected) { expectClose(target, expected, .float64) }
        Averaging.copy(sources, into: targets)
        for (target, source) in zip(targets, sources) { expectSame(target, source) }
        Averaging.update(targets, towards: [.zeros([16, 32], .float64), .zeros([8], .float64)], decay: 0)
        for target in targets { #expect(target.norm().item == 0) }
        Averaging.update([], towards: [], decay: 0.5)
        Averaging.copy([], into: [])
    }

    /// Student and teacher as they are used: the student's parameters are leaves of a graph, the teacher's too.
    @Test func averagesOfParametersLeaveNoGraph() {
        let (student, teacher) = (Linear(4, 3), Linear(4, 3))
        student(Tensor.ones([2, 4])).sum().backward()
        let before = teacher.weight.value.cloned().detached()
        Averaging.update(teacher.parameters.map(\.value), towards: student.parameters.map(\.value), decay: 0.9)
        expectClose(teacher.weight.value, before * 0.9 + student.weight.value * 0.1, .float32)
        teacher(Tensor.ones([2, 4])).sum().backward()
        #expect(teacher.weight.value.gradient != nil)
    }
}
