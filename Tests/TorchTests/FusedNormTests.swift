import TestSupport
import Testing
import Torch

/// The fused normalisation against the plain operations in float64: values, gradients and running statistics.
@Suite struct FusedNormTests {
    private static let channels = 6

    /// A layer with values that are not the initial ones.
    private func makeLayer() -> BatchNorm {
        let layer = BatchNorm(Self.channels)
        withoutGradients {
            layer.weight!.value.copyInPlace(Tensor([0.5, 1.5, -0.7, 1, 0.1, 2]))
            layer.bias!.value.copyInPlace(Tensor([0.1, -0.4, 0.3, 0, 1, -1]))
        }
        layer.runningMean.set(Tensor([1.0, 2, 3, 4, 5, 6]))
        layer.runningVar.set(Tensor([1.0, 2, 0.5, 4, 1, 3]))
        return layer
    }

    /// Rows enough for several blocks and threads, with a mean far from 0.
    private func makeInput(_ shape: [Int], seed: UInt64, mean: Double = 3) -> Tensor {
        Runtime.seed(seed)
        let x = Tensor.randn(shape) * 2 + mean
        return shape.count == 4 ? x.contiguous(.channelsLast) : x
    }

    private struct Outcome {
        var values: [Tensor]
    }

    @Test func whatIsNoNumberStaysNone() {
        let layer = makeLayer()
        layer.eval()
        let x = makeInput([2, Self.channels, 3, 3], seed: 9)
        x[1][0].fillInPlace(.nan)
        let y = layer.relu(x)
        #expect(y.isFinite().not.to(.float32).sum().item == 9)
    }

    /// Output, gradients of inputs and parameters, and running statistics, of `body` on copies of `inputs`.
    private func run(_ layer: BatchNorm, _ inputs: [Tensor], _ body: ([Tensor]) -> Tensor) -> [Tensor] {
        let leaves = inputs.map { input -> Tensor in
            let leaf = input.cloned()
            leaf.requiresGradient = true
            return leaf
        }
        let y = body(leaves)
        let weights = Tensor.arange(y.count, y.dataType).reshaped(y.shape).sin()
        (y * weights).sum().backward()
        return [y.detached()] + leaves.map { $0.gradient! } + [layer.weight!.value.gradient!, layer.bias!.value.gradient!]
            + [layer.runningMean.value, layer.runningVar.value]
    }

    private func compare(
        _ inputs: [Tensor], training: Bool = true, _ body: @escaping (BatchNorm, [Tensor]) -> Tensor, plain: ([Tensor]) -> Tensor
    ) {
        let layer = makeLayer()
        if !training { layer.eval() }
        let fused = run(layer, inputs) { body(layer, $0) }

        let state = makeLayer().stateDict.mapValues { $0.dataType.isFloatingPoint ? $0.to(.float64) : $0 }
        let (weight, bias) = (state["weight"]!.cloned(), state["bias"]!.cloned())
        weight.requiresGradient = true
        bias.requiresGradient = true
        let leaves = inputs.map { input -> Tensor in
            let leaf = input.to(.float64).cloned()
            leaf.requiresGradient = true
            return leaf
        }
        let normalized = Operation("batch_norm")(
            leaves[0], weight, bias, state["running_mean"]!, state["running_var"]!, training, 0.1, 1e-5, false)
        let y = plain([normalized] + leaves.dropFirst())
        let weights = Tensor.arange(y.count, .float64).reshaped(y.shape).sin()
        (y * weights).sum().backward()
        let expected =
            [y.detached()] + leaves.map { $0.gradient! } + [weight.gradient!, bias.gradient!] + [
                state["running_mean"]!, state["running_var"]!,
            ]

        #expect(fused.count == expected.count)
        for (index, (a, b)) in zip(fused, expected).enumerated() {
            let scale = max(b.abs().max().item, 1)
            let error = (a.to(.float64) - b).abs().max().item / scale
            #expect(error < 2e-5, "value \(index) differs by \(error) of its scale")
        }
    }

    @Test(arguments: [[5, 6], [300, 6], [4, 6, 9, 7], [16, 6, 1, 1]]) func normalization(shape: [Int]) {
        compare([makeInput(shape, seed: 1)], { $0($1[0]) }, plain: { $0[0] })
        compare([makeInput(shape, seed: 2)], training: false, { $0($1[0]) }, plain: { $0[0] })
    }

    @Test(arguments: [[64, 6], [4, 6, 9, 7]]) func withReLU(shape: [Int]) {
        compare([makeInput(shape, seed: 3)], { $0.relu($1[0]) }, plain: { $0[0].relu() })
        compare([makeInput(shape, seed: 4)], training: false, { $0.relu($1[0]) }, plain: { $0[0].relu() })
    }

    @Test func withResidual() {
        let inputs = [makeInput([4, 6, 9, 7], seed: 5), makeInput([4, 6, 9, 7], seed: 6, mean: 0)]
        compare(inputs, { $0.relu($1[0], adding: $1[1]) }, plain: { ($0[0] + $0[1]).relu() })
    }

    @Test(arguments: [(1, 1), (2, 1), (1, 0)]) func intoConvolution(stride: Int, padding: Int) {
        Runtime.seed(7)
        let kernel = (Tensor.randn([8, 6, 3, 3]) * 0.3).contiguous(.channelsLast)
        var kernelGradients: [Tensor] = []
        func convolution() -> Conv2d {
            let layer = Conv2d(6, 8, kernel: 3, stride: stride, padding: padding, bias: false)
            withoutGradients { layer.weight.value.copyInPlace(kernel) }
            return layer
        }
        let fused = convolution()
        let exact = kernel.to(.float64).cloned()
        exact.requiresGradient = true
        compare([makeInput([4, 6, 9, 7], seed: 8)]) {
            $0.relu($1[0], into: fused)
        } plain: {
            $0[0].relu().conv2d(exact, stride: stride, padding: padding)
        }
        kernelGradients = [fused.weight.value.gradient!, exact.gradient!]
        let error = (kernelGradients[0].to(.float64) - kernelGradients[1]).abs().max().item / kernelGradients[1].abs().max().item
        #expect(error < 2e-5)
    }

    @Test(arguments: [(3, 2, 1), (2, 2, 0), (3, 1, 1), (5, 3, 2)]) func intoMaxPool(kernel: Int, stride: Int, padding: Int) {
        for training in [true, false] {
            compare([makeInput([5, 6, 9, 8], seed: 10)], training: training) {
                $0.relu($1[0], maxPool: kernel, stride: stride, padding: padding)
            } plain: {
                $0[0].relu().maxPool2d(kernel, stride: stride, padding: padding)
            }
        }
        let layer = makeLayer()
        layer.eval()
        let x = makeInput([2, 6, 9, 8], seed: 11)
        x[1][0].fillInPlace(.nan)
        let pooled = layer.relu(x, maxPool: kernel, stride: stride, padding: padding)
        #expect((pooled - layer.relu(x).maxPool2d(kernel, stride: stride, padding: padding))[0].abs().max().item == 0)
        #expect(pooled.isFinite().not.to(.float32).sum().item == Double(pooled.shape[2] * pooled.shape[3]))
        #expect((layer.relu(x.contiguous(), maxPool: kernel, stride: stride, padding: padding) - pooled)[0].abs().max().item < 1e-5)
    }

    /// Whole vectors of channels and a rest, values with ties and without a number: the first place of a maximum has its gradient.
    @Test func intoMaxPoolOfManyChannels() {
        Runtime.seed(12)
        let norm = BatchNorm(40)
        norm.eval()
        let x = (Tensor.randn([3, 40, 11, 8]) * 2).to(.int64).to(.float32).contiguous(.channelsLast)
        x[1][3][2].fillInPlace(.nan)
        func run(_ body: (Tensor) -> Tensor) -> (Tensor, Tensor) {
            let leaf = x.cloned()
            leaf.requiresGradient = true
            let y = body(leaf)
            (y * Tensor.arange(y.count, .float32).reshaped(y.shape).sin()).sum().backward()
            return (y.detached(), leaf.gradient!)
        }
        let (ours, theirs) = (
            run { norm.relu($0, maxPool: 3, stride: 2, padding: 1) }, run { norm.relu($0).maxPool2d(3, stride: 2, padding: 1) }
        )
        for picture in [0, 2] {
            #expect((ours.0[picture] - theirs.0[picture]).abs().max().item == 0)
            #expect((ours.1[picture] - theirs.1[picture]).abs().max().item < 1e-6)
        }
        #expect((ours.0[1].isFinite().to(.float32) - theirs.0[1].isFinite().to(.float32)).abs().max().item == 0)
        #expect(ours.0[1].isFinite().not.to(.float32).sum().item > 0)
    }

    /// Other layouts and types take libtorch's own operations, with the same result.
    @Test func otherLayouts() {
        let x = makeInput([4, 6, 9, 7], seed: 9)
        let (a, b) = (makeLayer(), makeLayer())
        let difference = (a.relu(x) - b.relu(x.contiguous())).abs().max().item
        #expect(difference < 1e-5)
        #expect(b.relu(x.contiguous()).isContiguous)
    }

    /// As PyTorch: one value per channel has no variance.
    @Test func oneRowIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = BatchNorm(6)(Tensor.randn([1, 6])) }
    }

    /// An extreme first row takes nothing from the variance of the others.
    @Test(arguments: [3.3, 1000.1]) func varianceDoesNotDependOnTheFirstRow(extreme: Double) {
        Runtime.seed(18)
        let x = Tensor.randn([100_000, 16]) * 1e-3
        x.narrowed(0, from: 0, count: 1).addInPlace(Tensor(scalar: extreme).to(.float32))
        let norm = BatchNorm(16, momentum: 1)
        _ = norm(x)
        expectClose(norm.runningVar.value, x.to(.float64).variance(0), Tolerance(relative: 1e-4, absolute: 0))
    }
}
