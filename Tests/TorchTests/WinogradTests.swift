import TestSupport
import Testing

@testable import Torch

/// 3×3 convolutions by Winograd's algorithm against the definition in float64: values, gradients, and what follows them.
@Suite struct WinogradTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var images, inputs, outputs, height, width: Int
        var testDescription: String { "\(images)×\(inputs)×\(height)×\(width) to \(outputs)" }
    }

    /// Tiles that fit and tiles that stand over, few channels and several panels, more tiles than one block.
    static let shapes = [
        Shape(images: 20, inputs: 16, outputs: 32, height: 9, width: 13),
        Shape(images: 64, inputs: 32, outputs: 48, height: 4, width: 4),
        Shape(images: 16, inputs: 96, outputs: 16, height: 7, width: 8),
        Shape(images: 9, inputs: 64, outputs: 64, height: 32, width: 31),
    ]

    /// Rounding errors are some 1e-6 of the values' standard deviation; a wrong coefficient gives 1e-2 and more.
    private func expectRoundedOnly(_ value: Tensor, _ exact: Tensor, _ what: Comment, at place: SourceLocation = #_sourceLocation) {
        let scale = exact.squared().mean().sqrt().item
        let error = value.to(.float64) - exact
        #expect(error.squared().mean().sqrt().item < 1e-5 * scale, what, sourceLocation: place)
        #expect(error.abs().max().item < 1e-4 * scale, what, sourceLocation: place)
    }

    private func leaf(_ value: Tensor) -> Tensor {
        let leaf = value.cloned()
        leaf.requiresGradient = true
        return leaf
    }

    @Test(arguments: shapes) func equalsTheDefinition(_ shape: Shape) {
        Runtime.seed(7)
        let x = Tensor.randn([shape.images, shape.inputs, shape.height, shape.width]).contiguous(.channelsLast) + 0.3
        let convolution = Conv2d(shape.inputs, shape.outputs, kernel: 3, padding: 1)
        let (weight, bias) = (convolution.weight.value, convolution.bias!.value)
        withoutGradients { weight.copyInPlace(.randn(weight.shape)) }
        let slopes = Tensor.randn([shape.images, shape.outputs, shape.height, shape.width]).contiguous(.channelsLast)

        let input = leaf(x)
        let y = convolution(input)
        (y * slopes).sum().backward()

        let (exactInput, exactWeight, exactBias) = (
            leaf(x.to(.float64)), leaf(weight.detached().to(.float64)), leaf(bias.detached().to(.float64))
        )
        let exact = exactInput.conv2d(exactWeight, exactBias, padding: 1)
        (exact * slopes.to(.float64)).sum().backward()

        expectRoundedOnly(y.detached(), exact.detached(), "result")
        expectRoundedOnly(input.gradient!, exactInput.gradient!, "input's gradient")
        expectRoundedOnly(weight.gradient!, exactWeight.gradient!, "kernel's gradient")
        expectRoundedOnly(bias.gradient!, exactBias.gradient!, "bias' gradient")
        // Another route would round otherwise: it is this one that was tested.
        let direct = withoutGradients { x.conv2d(weight, bias, padding: 1) }
        #expect((direct - y.detached()).abs().max().item > 0)
    }

    /// What a thread does depends on the number of threads; what comes out for a place does not.
    @Test func outputsDoNotDependOnTheBatch() {
        Runtime.seed(8)
        let convolution = Conv2d(32, 32, kernel: 3, padding: 1, bias: false)
        let x = Tensor.randn([32, 32, 8, 8]).contiguous(.channelsLast)
        withoutGradients {
            let (all, half) = (convolution(x), convolution(x[16..<32]))
            #expect((all[16..<32] - half).abs().max().item == 0)
        }
    }

    @Test func normalisationResidualAndReLUFollow() {
        Runtime.seed(9)
        let (convolution, norm) = (Conv2d(32, 16, kernel: 3, padding: 1, bias: false), BatchNorm(16))
        norm.runningMean.set(.randn([16]))
        norm.runningVar.set(Tensor.randn([16]).squared() + 0.5)
        norm.eval()
        let x = Tensor.randn([32, 32, 6, 8]).contiguous(.channelsLast)
        let residual = Tensor.randn([32, 16, 6, 8]).contiguous(.channelsLast)
        x[3][0].fillInPlace(.nan)
        withoutGradients {
            let y = x.convolved(by: (convolution, norm), adding: residual)
            let exact = x.to(.float64).conv2d(convolution.weight.value.to(.float64), nil, padding: 1)
            func column(_ value: Tensor) -> Tensor { value.to(.float64).reshaped([1, -1, 1, 1]) }
            let normal = (exact - column(norm.runningMean.value)) / (column(norm.runningVar.value) + 1e-5).sqrt()
            let expected = (normal + residual.to(.float64)).relu()
            for clean in [0..<3, 4..<32] {
                expectClose(y[clean], expected[clean].to(.float32), Tolerance(relative: 2e-5, absolute: 2e-5))
            }
            #expect(y[3].isFinite().to(.float32).sum().item == 0, "what is no number stays none")
        }
    }

    /// Too few tiles to repay the kernels' transformation, sizes that waste them, channels that fill no vector.
    @Test(arguments: [
        Shape(images: 4, inputs: 16, outputs: 16, height: 8, width: 8), Shape(images: 80, inputs: 16, outputs: 16, height: 2, width: 2),
        Shape(images: 80, inputs: 24, outputs: 16, height: 8, width: 8), Shape(images: 80, inputs: 16, outputs: 24, height: 8, width: 8),
    ]) func otherShapesTakeTheOtherRoute(_ shape: Shape) {
        Runtime.seed(10)
        let convolution = Conv2d(shape.inputs, shape.outputs, kernel: 3, padding: 1, bias: false)
        let x = Tensor.randn([shape.images, shape.inputs, shape.height, shape.width]).contiguous(.channelsLast)
        withoutGradients {
            #expect((convolution(x) - x.conv2d(convolution.weight.value, nil, padding: 1)).abs().max().item == 0)
        }
    }

    /// ∂/∂x and ∂/∂k of Σ (∂z/∂x)² with z = Σ (x ∗ k)² + Σ x², as in float64.
    @Test func secondDerivativesAreThoseOfTheConvolution() throws {
        Runtime.seed(17)
        let (x, kernel) = (Tensor.randn([8, 16, 16, 16]).contiguous(.channelsLast), Tensor.randn([16, 16, 3, 3]) * 0.1)
        func second(_ type: DataType) throws -> [Tensor] {
            let convolution = Conv2d(16, 16, kernel: 3, padding: 1, bias: false)
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
