import TestSupport
import Testing

@testable import Torch

/// Convolutions of one pixel against the definition in float64. Where processors have units of 512 bits those without a bias are our own
/// products, elsewhere libtorch's.
@Suite struct PointwiseTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var images, inputs, outputs, height, width: Int
        var stride = 1
        var testDescription: String { "\(images)×\(inputs)×\(height)×\(width) to \(outputs), stride \(stride)" }
    }

    /// Blocks that stand over, single panels and pairs, more pixels than one block; with strides, edges that fit and edges that do not.
    static let shapes = [
        Shape(images: 9, inputs: 64, outputs: 80, height: 31, width: 29),
        Shape(images: 40, inputs: 528, outputs: 32, height: 4, width: 5),
        Shape(images: 150, inputs: 256, outputs: 256, height: 1, width: 1),
        Shape(images: 13, inputs: 64, outputs: 128, height: 28, width: 28, stride: 2),
        Shape(images: 13, inputs: 96, outputs: 64, height: 27, width: 31, stride: 2),
        Shape(images: 20, inputs: 144, outputs: 64, height: 23, width: 25, stride: 3),
    ]

    /// Too few pixels, channels that fill no vector: libtorch's.
    static let others = [
        Shape(images: 1, inputs: 64, outputs: 64, height: 10, width: 10), Shape(images: 20, inputs: 72, outputs: 64, height: 20, width: 20),
        Shape(images: 20, inputs: 64, outputs: 72, height: 20, width: 20, stride: 2),
    ]

    private func expectRoundedOnly(_ value: Tensor, _ exact: Tensor, _ what: Comment, at place: SourceLocation = #_sourceLocation) {
        let scale = exact.squared().mean().sqrt().item
        let error = value.to(.float64) - exact
        #expect(error.squared().mean().sqrt().item < 5e-6 * scale, what, sourceLocation: place)
        #expect(error.abs().max().item < 5e-5 * scale, what, sourceLocation: place)
    }

    private func leaf(_ value: Tensor) -> Tensor {
        let leaf = value.cloned()
        leaf.requiresGradient = true
        return leaf
    }

    @Test(arguments: shapes + others, [false, true]) func equalsTheDefinition(_ shape: Shape, hasBias: Bool) {
        Runtime.seed(7)
        let x = Tensor.randn([shape.images, shape.inputs, shape.height, shape.width]).contiguous(.channelsLast) + 0.3
        let convolution = Conv2d(shape.inputs, shape.outputs, kernel: 1, stride: shape.stride, bias: hasBias)
        let weight = convolution.weight.value
        withoutGradients { weight.copyInPlace(.randn(weight.shape)) }
        let (input, exactInput, exactWeight) = (leaf(x), leaf(x.to(.float64)), leaf(weight.detached().to(.float64)))
        let y = convolution(input)
        let exact = exactInput.conv2d(exactWeight, convolution.bias?.value.detached().to(.float64), stride: shape.stride)
        #expect(y.shape == exact.shape)
        let slopes = Tensor.randn(y.shape)
        (y * slopes).sum().backward()
        (exact * slopes.to(.float64)).sum().backward()

        expectRoundedOnly(y.detached(), exact.detached(), "result")
        expectRoundedOnly(input.gradient!, exactInput.gradient!, "input's gradient")
        expectRoundedOnly(weight.gradient!, exactWeight.gradient!, "kernel's gradient")
        if let bias = convolution.bias { expectRoundedOnly(bias.value.gradient!, slopes.to(.float64).sum(0, 2, 3), "bias' gradient") }
    }

    /// A normalisation with its ReLU before, made where the convolution reads; the gradient comes in another memory order.
    @Test(arguments: [1, 2, 3], [true, false]) func normalisedWhereItIsRead(stride: Int, training: Bool) {
        Runtime.seed(11)
        let (norm, convolution) = (BatchNorm(64), Conv2d(64, 96, kernel: 1, stride: stride, bias: false))
        withoutGradients {
            norm.weight!.value.copyInPlace(.randn([64]))
            norm.bias!.value.copyInPlace(.randn([64]))
        }
        norm.runningMean.set(.randn([64]))
        norm.runningVar.set(Tensor.randn([64]).squared() + 0.5)
        let running = [norm.runningMean, norm.runningVar].map { $0.value.to(.float64) }
        if !training { norm.eval() }
        let input = leaf(Tensor.randn([11, 64, 27, 29]).contiguous(.channelsLast) + 0.3)
        let parameters = [input, norm.weight!.value, norm.bias!.value, convolution.weight.value]
        let exact = parameters.map { leaf($0.detached().to(.float64)) }
        let normal = Operation("batch_norm")(exact[0], exact[1], exact[2], running[0], running[1], training, 0.1, 1e-5, false)
        let expected = normal.relu().conv2d(exact[3], stride: stride)
        let y = norm.relu(input, into: convolution)
        let slopes = Tensor.randn(y.shape)
        y.backward(slopes)
        (expected * slopes.to(.float64)).sum().backward()
        expectRoundedOnly(y.detached(), expected.detached(), "result")
        for (index, (ours, exact)) in zip(parameters, exact).enumerated() {
            expectRoundedOnly(ours.gradient!, exact.gradient!, "gradient \(index)")
        }
    }

    /// What a thread does depends on the number of threads; what comes out for a place does not.
    @Test func outputsDoNotDependOnTheBatch() {
        Runtime.seed(8)
        let convolution = Conv2d(64, 96, kernel: 1, bias: false)
        let x = Tensor.randn([32, 64, 16, 16]).contiguous(.channelsLast)
        withoutGradients {
            let (all, half) = (convolution(x), convolution(x[15..<32]))
            #expect((all[15..<32] - half).abs().max().item == 0)
        }
    }

    /// In whatever order channels and pixels lie.
    @Test func otherMemoryOrders() {
        Runtime.seed(9)
        let convolution = Conv2d(64, 64, kernel: 1, bias: false)
        let x = Tensor.randn([16, 64, 16, 16])
        let (plain, last) = (leaf(x), leaf(x.contiguous(.channelsLast)))
        let slopes = Tensor.randn([16, 64, 16, 16])
        convolution(plain).backward(slopes)
        let first = convolution.weight.value.gradient!.cloned()
        convolution.clearGradients()
        convolution(last).backward(slopes.contiguous(.channelsLast))
        #expect((plain.gradient! - last.gradient!).abs().max().item == 0)
        #expect((first - convolution.weight.value.gradient!).abs().max().item == 0)
    }

    /// The gradient of one without the other's.
    @Test func whatIsNotWantedIsLeftOut() {
        Runtime.seed(10)
        let convolution = Conv2d(64, 96, kernel: 1, stride: 2, bias: false)
        let x = Tensor.randn([16, 64, 16, 16]).contiguous(.channelsLast)
        let slopes = Tensor.randn([16, 96, 8, 8]).contiguous(.channelsLast)
        let both = leaf(x)
        convolution(both).backward(slopes)
        let kernel = convolution.weight.value.gradient!.cloned()
        convolution.clearGradients()

        convolution(x).backward(slopes)
        #expect((convolution.weight.value.gradient! - kernel).abs().max().item == 0)

        convolution.clearGradients()
        convolution.weight.value.requiresGradient = false
        let input = leaf(x)
        convolution(input).backward(slopes)
        #expect(convolution.weight.value.gradient == nil)
        #expect((input.gradient! - both.gradient!).abs().max().item == 0)
    }

    /// ∂/∂x and ∂/∂k of Σ (∂z/∂x)² with z = Σ (x ∗ k)² + Σ x², as in float64.
    @Test(arguments: [1, 2]) func secondDerivativesAreThoseOfTheConvolution(stride: Int) throws {
        Runtime.seed(17)
        let (x, kernel) = (Tensor.randn([16, 64, 16, 16]).contiguous(.channelsLast), Tensor.randn([64, 64, 1, 1]) * 0.1)
        func second(_ type: DataType) throws -> [Tensor] {
            let convolution = Conv2d(64, 64, kernel: 1, stride: stride, bias: false)
            withoutGradients { convolution.weight.value.copyInPlace(kernel) }
            convolution.convert(to: type)
            let leaf = x.to(type)
            leaf.requiresGradient = true
            let z = convolution(leaf).squared().sum() + leaf.squared().sum()
            let first = try #require(gradients(of: [z], by: [leaf], createGraph: true)[0])
            return try gradients(of: [first.squared().sum()], by: [leaf, convolution.weight.value]).map { try #require($0) }
        }
        for (found, exact) in zip(try second(.float32), try second(.float64)) {
            expectClose(found, exact, Tolerance(relative: 1e-3, absolute: 1e-5 * exact.abs().max().item))
        }
    }
}
