import TestSupport
import Testing

@testable import Torch

/// Linear layers, whose large products are made by another library than small ones.
@Suite struct LinearTests {
    private func leaf(_ x: Tensor) -> Tensor {
        let leaf = x.detached()
        leaf.requiresGradient = true
        return leaf
    }

    private struct Case: CustomTestStringConvertible {
        var shape: [Int]
        var inputs: Int
        var outputs: Int
        var testDescription: String { "\(shape) × \(inputs) → \(outputs)" }
    }

    /// Rows that are a multiple of 64 and few or many, widths that are none of anything, either side the wider.
    private static let cases = [
        Case(shape: [4, 80], inputs: 96, outputs: 384), Case(shape: [128], inputs: 384, outputs: 96),
        Case(shape: [1 << 20], inputs: 1, outputs: 1), Case(shape: [1 << 15], inputs: 1, outputs: 40),
        Case(shape: [1 << 15], inputs: 40, outputs: 1),
        Case(shape: [64, 5], inputs: 67, outputs: 131), Case(shape: [2, 3, 64], inputs: 131, outputs: 67),
        Case(shape: [127], inputs: 131, outputs: 67), Case(shape: [64], inputs: 3, outputs: 5),
    ]

    /// Values and gradients are those of the same formula in float64.
    @Test(arguments: cases) private func equalsTheFormula(_ item: Case) {
        Runtime.seed(5)
        let shape = item.shape + [item.inputs]
        let given = [Tensor.randn(shape, .float64), .randn([item.outputs, item.inputs], .float64), .randn([item.outputs], .float64)]
        let seed = Tensor.randn(item.shape + [item.outputs], .float64)
        func all(_ type: DataType) -> [Tensor] {
            let inputs = given.map { leaf($0.to(type)) }
            let y = inputs[0].linear(inputs[1], inputs[2])
            return [y] + gradients(of: [(y * seed.to(type)).sum()], by: inputs).map { $0! }
        }
        for (index, (found, expected)) in zip(all(.float32), all(.float64)).enumerated() {
            #expect(found.shape == expected.shape)
            let error = (found.to(.float64) - expected).norm().item / expected.norm().item
            #expect(error < 1e-6, "\(["result", "input", "weight", "bias"][index]) of \(item)")
        }
    }

    /// What is seen through another order of memory, and without bias or without a gradient for one of the two.
    @Test func anyOrderOfMemory() {
        Runtime.seed(6)
        let (x, w) = (Tensor.randn([96, 128]), Tensor.randn([96, 256]))
        let expected = x.t.contiguous().matmul(w.contiguous())
        for (a, b) in [(x.t, w.t), (x.t.contiguous(), w.t), (x.t, w.t.contiguous())] {
            expectClose(a.linear(b), expected, Tolerance(relative: 1e-5, absolute: 1e-4))
        }
        let strided = Tensor.randn([128, 192]).every(2, 1)
        expectClose(strided.linear(w.t), strided.contiguous().matmul(w), Tolerance(relative: 1e-5, absolute: 1e-4))
        // A bias with gaps, and one that is the same value again and again.
        let matrix = Tensor.randn([256, 3])
        for bias in [matrix.selected(1, 2), Tensor.randn([1]).expanded([256])] {
            expectClose(x.t.linear(w.t, bias), expected + bias.contiguous(), Tolerance(relative: 1e-5, absolute: 1e-4))
        }
        let input = leaf(x.t)
        input.linear(w.t).sum().backward()
        expectClose(input.gradient!, w.sum(1).expanded([128, 96]), Tolerance(relative: 1e-5, absolute: 1e-4))
        let weight = leaf(w.t)
        x.t.linear(weight).sum().backward()
        expectClose(weight.gradient!, x.sum(1).expanded([256, 96]), Tolerance(relative: 1e-5, absolute: 1e-4))
    }

    /// The gradients' gradients are float64's: of the squared gradients of Σ (xWᵀ)²/2.
    @Test func secondDerivatives() {
        Runtime.seed(7)
        let given = [Tensor.randn([128, 96], .float64) / 10, Tensor.randn([192, 96], .float64) / 10]
        func second(_ type: DataType) -> [Tensor] {
            let inputs = given.map { leaf($0.to(type)) }
            let loss = inputs[0].linear(inputs[1]).squared().sum() / 2
            let first = gradients(of: [loss], by: inputs, createGraph: true).map { $0! }
            return gradients(of: [first[0].squared().sum() + first[1].squared().sum()], by: inputs).map { $0! }
        }
        for (found, expected) in zip(second(.float32), second(.float64)) {
            #expect((found.to(.float64) - expected).norm().item / expected.norm().item < 1e-5)
        }
    }
}
