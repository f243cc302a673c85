import TestSupport
import Testing

@testable import Torch

/// A residual branch in one operation: against the same layers one by one in float64, and against itself with other results kept.
@Suite struct NormalizedConvolutionTests {
    typealias Layers = [(Conv2d, BatchNorm)]

    /// Channels and kernels of the branch; those in sixteens take Winograd's way or are our own products.
    struct Shape: CustomTestStringConvertible, Sendable {
        var input: [Int]
        var layers: [(channels: Int, kernel: Int, stride: Int)]
        var shortcut: Shortcut
        var relu = true
        var training = true
        var testDescription: String { "\(input) \(layers) \(shortcut)\(relu ? "" : " no relu")\(training ? "" : " eval")" }
    }
    enum Shortcut { case none, other, identity }

    static let shapes = [
        Shape(input: [6, 16, 20, 12], layers: [(16, 3, 1), (16, 3, 1)], shortcut: .identity),
        Shape(input: [6, 16, 18, 18], layers: [(32, 3, 2), (32, 3, 1)], shortcut: .other),
        Shape(input: [5, 32, 16, 16], layers: [(16, 1, 1), (16, 3, 1), (32, 1, 1)], shortcut: .identity),
        Shape(input: [5, 6, 9, 7], layers: [(10, 3, 1), (6, 3, 1)], shortcut: .identity),
        Shape(input: [5, 20, 9, 7], layers: [(12, 1, 1), (20, 1, 1)], shortcut: .identity),
        Shape(input: [5, 12, 9, 7], layers: [(20, 1, 1)], shortcut: .other),
        // Enough for one-pixel kernels to be our own products, too.
        Shape(input: [3, 64, 31, 29], layers: [(32, 1, 1), (32, 3, 1), (64, 1, 1)], shortcut: .identity),
        Shape(input: [5, 64, 31, 29], layers: [(32, 1, 1), (32, 3, 2), (128, 1, 1)], shortcut: .other),
        Shape(input: [3, 64, 31, 29], layers: [(128, 1, 2)], shortcut: .none, relu: false),
        Shape(input: [9, 64, 31, 29], layers: [(32, 1, 1), (64, 1, 2), (64, 1, 1)], shortcut: .other),
        Shape(input: [3, 64, 31, 29], layers: [(32, 1, 1), (32, 3, 1), (64, 1, 1)], shortcut: .identity, relu: false, training: false),
        Shape(input: [70, 16, 4, 4], layers: [(32, 3, 1), (16, 3, 1)], shortcut: .other),
        Shape(input: [6, 3, 18, 18], layers: [(16, 3, 1)], shortcut: .none),
        Shape(input: [6, 16, 18, 18], layers: [(32, 1, 2)], shortcut: .none, relu: false),
        Shape(input: [6, 16, 16, 16], layers: [(16, 3, 1), (16, 3, 1)], shortcut: .other, training: false),
        Shape(input: [6, 16, 16, 16], layers: [(16, 3, 1), (16, 3, 1)], shortcut: .identity, relu: false),
    ]

    private func makeLayers(_ shape: Shape) -> Layers {
        Runtime.seed(11)
        var inputs = shape.input[1]
        return shape.layers.map { layer in
            defer { inputs = layer.channels }
            let convolution = Conv2d(
                inputs, layer.channels, kernel: layer.kernel, stride: layer.stride, padding: layer.kernel / 2, bias: false)
            let norm = BatchNorm(layer.channels)
            withoutGradients {
                norm.weight!.value.copyInPlace(.randn([layer.channels]))
                norm.bias!.value.copyInPlace(.randn([layer.channels]))
                norm.runningMean.value.copyInPlace(.randn([layer.channels]) * 0.1)
                norm.runningVar.value.copyInPlace(.rand([layer.channels]) + 0.5)
            }
            if !shape.training { norm.eval() }
            return (convolution, norm)
        }
    }

    private func makeInputs(_ shape: Shape) -> (x: Tensor, residual: Tensor?) {
        Runtime.seed(12)
        let x = (Tensor.randn(shape.input) + 0.3).contiguous(.channelsLast)
        guard shape.shortcut == .other else { return (x, nil) }
        let stride = shape.layers.map(\.stride).reduce(1, *)
        let sides = shape.input[2...].map { ($0 + stride - 1) / stride }
        return (x, Tensor.randn([shape.input[0], shape.layers.last!.channels] + sides).contiguous(.channelsLast))
    }

    /// Result, gradients of x, of the residual and of each layer's parameters, running statistics.
    private func run(_ shape: Shape) -> [Tensor] {
        let layers = makeLayers(shape)
        let (x, residual) = makeInputs(shape)
        for leaf in [x, residual] { leaf?.requiresGradient = true }
        let y = x.convolved(by: layers, adding: shape.shortcut == .identity ? x : residual, relu: shape.relu)
        (y * Tensor.arange(y.count, .float32).reshaped(y.shape).sin()).sum().backward()
        return [y.detached(), x.gradient!] + [residual?.gradient].compactMap { $0 }
            + layers.flatMap { convolution, norm in
                [convolution.weight, norm.weight!, norm.bias!].map { $0.value.gradient! } + [norm.runningMean.value, norm.runningVar.value]
            }
    }

    /// The same by libtorch's plain operations in float64.
    private func plain(_ shape: Shape) -> [Tensor] {
        func exact(_ tensor: Tensor) -> Tensor {
            let leaf = tensor.to(.float64).cloned()
            leaf.requiresGradient = true
            return leaf
        }
        let layers = makeLayers(shape)
        let inputs = makeInputs(shape)
        let (x, residual) = (exact(inputs.x), inputs.residual.map(exact))
        var y = x
        var rest: [[Tensor]] = []
        for (index, (convolution, norm)) in layers.enumerated() {
            let parameters = [convolution.weight, norm.weight!, norm.bias!].map { exact($0.value.detached()) }
            let running = [norm.runningMean, norm.runningVar].map { $0.value.to(.float64) }
            y = y.conv2d(parameters[0], stride: convolution.stride, padding: convolution.padding)
            y = Operation("batch_norm")(y, parameters[1], parameters[2], running[0], running[1], shape.training, 0.1, 1e-5, false)
            let isLast = index == layers.count - 1
            if isLast, shape.shortcut != .none { y = y + (residual ?? x) }
            if !isLast || shape.relu { y = y.relu() }
            rest.append(parameters + running)
        }
        (y * Tensor.arange(y.count, .float32).reshaped(y.shape).sin().to(.float64)).sum().backward()
        return [y.detached(), x.gradient!] + [residual?.gradient].compactMap { $0 }
            + rest.flatMap { $0.prefix(3).map { $0.gradient! } + $0.suffix(2) }
    }

    @Test(arguments: shapes) func equalsPlainOperations(_ shape: Shape) {
        let (ours, exact) = (run(shape), plain(shape))
        #expect(ours.count == exact.count)
        for (index, (a, b)) in zip(ours, exact).enumerated() {
            let error = (a.to(.float64) - b).abs().max().item / max(b.abs().max().item, 1)
            #expect(error < 3e-5, "value \(index) differs by \(error) of its scale")
        }
    }

    /// Results of 32 MB and more are stored past the caches.
    @Test(arguments: [false, true]) func largeResults(relu: Bool) {
        let shape = Shape(input: [33, 16, 64, 64], layers: [(64, 3, 1)], shortcut: .other, relu: relu)
        for (index, (a, b)) in zip(run(shape), plain(shape)).enumerated() {
            let errors = (a.to(.float64) - b).abs() / max(b.abs().max().item, 1)
            // Of eight million values some are so near to 0 that rounding opens or shuts the ReLU, and a gradient is there or not. Those of
            // the parameters are sums over 135,168 pixels.
            let wrong = errors.greater(index < 3 ? 3e-5 : 1e-4).to(.float64).mean().item
            #expect(wrong <= (relu && (1...2).contains(index) ? 1e-4 : 0), "value \(index): \(wrong) of it differs")
        }
    }

    /// Winograd's, libtorch's and our own products at either end.
    static let withShortcuts = shapes.filter { $0.shortcut != .none && $0.relu }

    /// A gradient whose memory somebody else has is not written over.
    @Test(arguments: withShortcuts, [Recomputation.none, .all]) func aGradientThatIsKeptStays(_ shape: Shape, recomputation: Recomputation)
    {
        Recomputation.$current.withValue(recomputation) { checkThatAGradientStays(shape) }
    }

    private func checkThatAGradientStays(_ shape: Shape) {
        let layers = makeLayers(shape)
        let (x, residual) = makeInputs(shape)
        x.requiresGradient = true
        func branch(_ x: Tensor) -> Tensor { x.convolved(by: layers, adding: residual ?? x, relu: true) }
        residual?.requiresGradient = true
        let y = branch(x)
        let slopes = Tensor.randn(y.shape).contiguous(.channelsLast)
        let before = slopes.cloned()
        y.backward(slopes)
        #expect((slopes - before).abs().max().item == 0)

        // Both of a sum's gradients are one tensor.
        let other = Tensor.zeros(y.shape).contiguous(.channelsLast)
        other.requiresGradient = true
        let z = branch(x) + other
        z.backward(slopes)
        #expect((other.gradient! - slopes).abs().max().item == 0)

        // One that the graph made, and gives to both.
        func gradients(_ body: (Tensor) -> Tensor) -> [Tensor] {
            let leaves = [x, other].map { leaf in
                let copy = leaf.detached().cloned()
                copy.requiresGradient = true
                return copy
            }
            ((body(leaves[0]) + leaves[1]) * slopes).sum().backward()
            return leaves.map { $0.gradient! }
        }
        let both = gradients(branch)
        #expect((both[1] - slopes).abs().max().item == 0)
        #expect((both[0] - x.gradient! / 2).abs().max().item < 1e-5)
    }

    /// What is computed again is what was there.
    @Test(arguments: shapes) func recomputingChangesNoBit(_ shape: Shape) {
        let kept = Recomputation.$current.withValue(.none) { run(shape) }
        let computedAgain = Recomputation.$current.withValue(.all) { run(shape) }
        for (index, (a, b)) in zip(kept, computedAgain).enumerated() {
            #expect((a - b).abs().max().item == 0, "value \(index)")
        }
    }

    /// Large results go: those of few products (128, of 1×1 convolutions 256) from 16 MB on, others from 64 MB on.
    @Test func largeResultsAreNotKept() async {
        await #expect(processExitsWith: .success) {
            Runtime.prepare()
            /// Megabytes that the graph holds beside the result.
            func held(_ images: Int, inputs: Int = 32, kernel: Int, _ recomputation: Recomputation) -> Int {
                let convolution = Conv2d(inputs, 64, kernel: kernel, padding: kernel / 2, bias: false)
                let norm = BatchNorm(64)
                let x = Tensor.randn([images, inputs, 64, 64]).contiguous(.channelsLast)
                // The first time makes room for what operations work with.
                _ = withoutGradients { x.convolved(by: (convolution, norm)) }
                let before = Runtime.largeTensorMemory.inUse
                let y = Recomputation.$current.withValue(recomputation) { x.convolved(by: (convolution, norm)) }
                return (Runtime.largeTensorMemory.inUse - before) / (1 << 20) - y.count * 4 / (1 << 20)
            }
            func check(_ held: Int, _ expected: Int) { if held != expected { fatalError("\(held) MB, not \(expected)") } }
            check(held(16, kernel: 1, .none), 16)
            check(held(16, kernel: 1, .large), 0)
            check(held(15, kernel: 1, .large), 15)
            check(held(16, inputs: 256, kernel: 1, .large), 0)
            check(held(16, inputs: 272, kernel: 1, .large), 16)
            check(held(16, inputs: 16, kernel: 3, .large), 16)
            check(held(63, kernel: 3, .large), 63)
            check(held(64, kernel: 3, .large), 0)
        }
    }

    /// Frozen parameters have no gradient, the others the same as ever.
    @Test(arguments: withShortcuts) func frozenParameters(_ shape: Shape) {
        func run(freezing frozen: Set<Int>, input: Bool = true) -> (kernels: [Tensor?], input: Tensor?) {
            let layers = makeLayers(shape)
            let (x, residual) = makeInputs(shape)
            x.requiresGradient = input
            for index in frozen { layers[index].0.weight.value.requiresGradient = false }
            x.convolved(by: layers, adding: residual ?? x, relu: true).squared().sum().backward()
            return (layers.map { $0.0.weight.value.gradient }, x.gradient)
        }
        func expectSame(_ a: Tensor?, _ b: Tensor?) { #expect((a! - b!).abs().max().item == 0) }
        let (all, last) = (run(freezing: []), shape.layers.count - 1)
        for frozen in [0, last] {
            let some = run(freezing: [frozen])
            for index in 0...last where index != frozen { expectSame(all.kernels[index], some.kernels[index]) }
            #expect(some.kernels[frozen] == nil)
            expectSame(all.input, some.input)
        }
        let kernels = run(freezing: [], input: false)
        for index in 0...last { expectSame(all.kernels[index], kernels.kernels[index]) }
        #expect(kernels.input == nil)
        // The first convolution has nothing to do.
        let rest = run(freezing: [0], input: false)
        #expect(rest.kernels[0] == nil && rest.input == nil)
        if last > 0 { expectSame(all.kernels[last], rest.kernels[last]) }
    }

    /// What is no number stays none and lets gradients through, as libtorch's ReLU does; a zero shuts.
    @Test(arguments: [16, 20]) func gatesOfWhatIsNoNumber(channels: Int) {
        let shape = Shape(input: [6, 16, 8, 8], layers: [(channels, 1, 1)], shortcut: .other, training: false)
        let layers = makeLayers(shape)
        let (x, residual) = (makeInputs(shape).x, makeInputs(shape).residual!)
        // The residual alone decides: sums that should be 0 would be rounded.
        withoutGradients {
            layers[0].1.weight!.value.fillInPlace(0)
            layers[0].1.bias!.value.fillInPlace(0)
        }
        for channel in [0, channels - 1] {
            residual[1].narrowed(0, from: channel, count: 1).fillInPlace(.nan)
            residual[2].narrowed(0, from: channel, count: 1).fillInPlace(0)
        }
        residual.requiresGradient = true
        let y = x.convolved(by: layers, adding: residual, relu: true)
        let slopes = Tensor.randn(y.shape).contiguous(.channelsLast)
        y.backward(slopes)
        let gradient = residual.gradient!
        for channel in [0, channels - 1] {
            #expect(y.detached()[1][channel].isFinite().to(.float32).sum().item == 0)
            #expect((gradient[1][channel] - slopes[1][channel]).abs().max().item == 0)
            #expect(y.detached()[2][channel].abs().max().item == 0)
            #expect(gradient[2][channel].abs().max().item == 0)
        }
    }
}
