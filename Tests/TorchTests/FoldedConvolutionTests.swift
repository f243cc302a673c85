import TestSupport
import Testing

@testable import Torch

/// Convolutions with their normalisations folded in against the plain operations in float64.
@Suite struct FoldedConvolutionTests {
    private func makeNorm(_ channels: Int, affine: Bool = true) -> BatchNorm {
        let norm = BatchNorm(channels, affine: affine)
        withoutGradients {
            norm.weight?.value.copyInPlace(.randn([channels]) + 0.5)
            norm.bias?.value.copyInPlace(.randn([channels]))
        }
        norm.runningMean.set(.randn([channels]) * 2)
        norm.runningVar.set(Tensor.randn([channels]).squared() + 0.3)
        return norm
    }

    private func plain(_ x: Tensor, _ convolution: Conv2d, _ norm: BatchNorm) -> Tensor {
        let y = x.conv2d(
            convolution.weight.value.to(.float64), nil, stride: convolution.stride, padding: convolution.padding, dilation: 1, groups: 1)
        func column(_ value: Tensor) -> Tensor { value.to(.float64).reshaped([1, -1, 1, 1]) }
        let normal = (y - column(norm.runningMean.value)) / (column(norm.runningVar.value) + 1e-5).sqrt()
        return normal * (norm.weight.map { column($0.value) } ?? Tensor(scalar: 1.0))
            + (norm.bias.map { column($0.value) } ?? Tensor(scalar: 0.0))
    }

    @Test(arguments: [true, false], [1, 2])
    func foldedEqualsPlain(affine: Bool, stride: Int) throws {
        Runtime.seed(3)
        let (first, second) = (Conv2d(8, 16, kernel: 3, stride: stride, padding: 1, bias: false), Conv2d(16, 32, kernel: 1, bias: false))
        let (norm1, norm2) = (makeNorm(16, affine: affine), makeNorm(32, affine: affine))
        for norm in [norm1, norm2] { norm.eval() }
        for size in [9, 2] {
            let x = Tensor.randn([4, 8, size, size]).contiguous(.channelsLast)
            let out = (size + stride - 1) / stride
            let residual = Tensor.randn([4, 32, out, out])
            let middle = plain(x.to(.float64), first, norm1).relu()
            let last = plain(middle, second, norm2)
            withoutGradients {
                // The route that is tested is the one that runs here.
                #expect(norm1.folded(into: first, x, adding: nil, relu: true) != nil)
                expectClose(x.convolved(by: (first, norm1)), middle, Tolerance(relative: 2e-5, absolute: 2e-5))
                expectClose(x.convolved(by: (first, norm1), (second, norm2), relu: false), last, Tolerance(relative: 2e-5, absolute: 2e-5))
                let added = (last + residual.to(.float64)).relu().to(.float32)
                expectClose(
                    x.convolved(by: (first, norm1), (second, norm2), adding: residual), added, Tolerance(relative: 2e-5, absolute: 2e-5))
            }
        }
    }

    /// Pictures of which much of a kernel lies outside have only the taps inside multiplied; with a channel count of one panel and of two,
    /// images in several blocks, numbers of images and pixels on both sides of what is done so, and parts that begin within a block.
    @Test(
        arguments: [(1, 1), (2, 2), (1, 3), (3, 2), (4, 4), (5, 5)],
        [(3, 1, 1), (3, 2, 1), (3, 1, 2), (1, 1, 2), (5, 1, 2), (5, 3, 2), (1, 1, 1), (7, 2, 3)])
    func picturesOfAFewPixels(size: (Int, Int), window: (Int, Int, Int)) throws {
        Runtime.seed(8)
        for (images, channels, made) in [(27, 16, 16), (28, 16, 16), (131, 48, 64), (700, 64, 48)] {
            let convolution = Conv2d(channels, made, kernel: window.0, stride: window.1, padding: window.2, bias: false)
            let norm = makeNorm(made)
            norm.eval()
            let x = Tensor.randn([images, channels, size.0, size.1]).contiguous(.channelsLast)
            let wanted = plain(x.to(.float64), convolution, norm)
            let residual = Tensor.randn(wanted.shape)
            withoutGradients {
                let tolerance = Tolerance(relative: 2e-5, absolute: 1e-4)
                expectClose(norm.folded(into: convolution, x, adding: nil, relu: false)!, wanted, tolerance)
                let added = wanted + residual.to(.float64)
                let threads = Runtime.threads
                defer { Runtime.threads = threads }
                for count in [1, 3, threads] {
                    Runtime.threads = count
                    expectClose(norm.folded(into: convolution, x, adding: residual, relu: false)!, added, tolerance)
                }
                expectClose(norm.folded(into: convolution, x.contiguous(), adding: residual, relu: true)!, added.relu(), tolerance)
            }
        }
    }

    /// By the taps inside, oneDNN and Winograd's algorithm: kernels that are not numbers are seen, and an image that is not a number spoils its own
    /// result, but where oneDNN makes 0 of it.
    @Test(arguments: [(64, 1), (64, 2), (8, 2), (64, 4), (8, 16)], [true, false])
    func whatIsNoNumberIsSeen(shape: (Int, Int), relu: Bool) throws {
        let (images, size) = shape
        Runtime.seed(9)
        let convolution = Conv2d(16, 32, kernel: 3, padding: 1, bias: false)
        let norm = makeNorm(32)
        norm.eval()
        let x = Tensor.randn([images, 16, size, size])
        withoutGradients {
            for residual in [nil, Tensor.randn([images, 32, size, size])] {
                if images > 8 || size > 2 {
                    let spoilt = x.cloned()
                    spoilt[5].fillInPlace(.nan)
                    let y = norm.folded(into: convolution, spoilt, adding: residual, relu: relu)!
                    #expect((0..<images).filter { !y[$0].abs().sum().item.isFinite } == [5] && y[5].floats.allSatisfy(\.isNaN))
                }
                let kernel = convolution.weight.value.cloned()
                convolution.weight.value[3].fillInPlace(.nan)
                let y = norm.folded(into: convolution, x, adding: residual, relu: relu)!.transposed(0, 1)
                #expect((0..<32).filter { !y[$0].abs().sum().item.isFinite } == [3] && y[3].contiguous().floats.allSatisfy(\.isNaN))
                convolution.weight.value.copyInPlace(kernel)
            }
        }
    }

    /// oneDNN 3.12 crashes in the gradient of these shapes.
    @Test(arguments: [3, 8, 9, 12, 15], [56, 57]) func stridedPointwiseConvolutionOfFewChannels(channels: Int, side: Int) {
        Runtime.seed(5)
        let convolution = Conv2d(channels, 16, kernel: 1, stride: 2, bias: false)
        let x = Tensor.randn([4, channels, side, 56]).contiguous(.channelsLast)
        let y = convolution(x)
        let exact = x.to(.float64).conv2d(convolution.weight.value.to(.float64), stride: 2)
        expectClose(y.detached(), exact.detached(), .float32)
        y.squared().sum().backward()
        // d Σ y² / d w = Σ 2 y x over images and places
        let (flat, taken) = (exact.detached().reshaped([4, 16, -1]), x.to(.float64).every(2, 2).every(2, 3).reshaped([4, channels, -1]))
        let gradient = (flat * 2).matmul(taken.transposed(1, 2)).sum(0).reshaped([16, channels, 1, 1])
        expectClose(convolution.weight.value.gradient!, gradient, Tolerance(relative: 1e-4, absolute: 1e-2))
    }

    /// Training, a graph, or a kernel with a bias of its own take the other route, with the same values.
    @Test func whereFoldingDoesNotApply() {
        Runtime.seed(4)
        let convolution = Conv2d(8, 16, kernel: 3, padding: 1, bias: false)
        let norm = makeNorm(16)
        norm.eval()
        let x = Tensor.randn([4, 8, 6, 6]).contiguous(.channelsLast)
        #expect(norm.folded(into: convolution, x, adding: nil, relu: true) == nil, "a graph is recorded")
        let withGraph = x.convolved(by: (convolution, norm))
        withGraph.sum().backward()
        #expect(convolution.weight.value.gradient != nil)
        withoutGradients {
            expectClose(x.convolved(by: (convolution, norm)), withGraph.detached(), Tolerance(relative: 2e-5, absolute: 2e-5))
            norm.train()
            #expect(norm.folded(into: convolution, x, adding: nil, relu: true) == nil, "training")
            norm.eval()
            #expect(norm.folded(into: Conv2d(8, 16, kernel: 3, padding: 1), x, adding: nil, relu: true) == nil, "a bias")
            #expect(norm.folded(into: convolution, x.to(.float64), adding: nil, relu: true) == nil, "float64")
        }
    }

    /// What is kept between calls follows every change of what it was made of; at 2 pixels by oneDNN or, with enough images, by the taps inside,
    /// at 16 by Winograd's algorithm.
    @Test(arguments: [(8, 2), (32, 2), (8, 16)]) func keptKernelsFollowTheirSources(images: Int, size: Int) throws {
        Runtime.seed(6)
        let convolution = Conv2d(16, 32, kernel: 3, padding: 1, bias: false)
        let norm = makeNorm(32)
        norm.eval()
        let x = Tensor.randn([images, 16, size, size]).contiguous(.channelsLast)
        var seen: [Tensor] = []
        func expectFollowed(_ change: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let wanted = plain(x.to(.float64), convolution, norm).relu()
            let first = x.convolved(by: (convolution, norm))
            #expect(
                difference(first, wanted, Tolerance(relative: 2e-5, absolute: 1e-4)) == nil, "\(change)", sourceLocation: sourceLocation)
            expectSame(x.convolved(by: (convolution, norm)), first, sourceLocation: sourceLocation)
            for other in seen {
                #expect(difference(first, other, .float32) != nil, "\(change) moves nothing", sourceLocation: sourceLocation)
            }
            seen.append(first)
        }
        withoutGradients {
            expectFollowed("new")
            convolution.weight.value.addInPlace(.randn([32, 16, 3, 3]) * 0.1)
            expectFollowed("kernel")
            norm.weight!.value.copyInPlace(.randn([32]) + 1)
            expectFollowed("weight")
            norm.bias!.value.addInPlace(.ones([32]))
            expectFollowed("bias")
            norm.runningMean.set(.randn([32]))
            expectFollowed("mean")
            norm.runningVar.set(Tensor.randn([32]).squared() + 0.5)
            expectFollowed("variance")
            Averaging.update([convolution.weight.value], towards: [.randn([32, 16, 3, 3])], decay: 0.9)
            expectFollowed("moving average")
            // What an optimiser does while the statistics stand still.
            let all = [ParameterGroup([convolution.weight])]
            let optimizers: [(String, any Optimizer)] = [
                ("SGD", SGD(all)), ("Adam", Adam(all)), ("AdamW", Adam(all, decouplesWeightDecay: true)),
            ]
            for (name, optimizer) in optimizers {
                convolution.weight.value.gradient = .randn([32, 16, 3, 3])
                optimizer.step(learningRate: 0.1)
                expectFollowed(name)
            }
            // As a pass in training moves them, from another place than the layer.
            norm.train()
            _ = x.convolved(by: (convolution, norm))
            norm.eval()
            expectFollowed("statistics of a batch")
            // Other images through the same kernels.
            let few = Tensor.randn([1, 16, 5, 5]).contiguous(.channelsLast)
            expectClose(
                few.convolved(by: (convolution, norm)), plain(few.to(.float64), convolution, norm).relu(),
                Tolerance(relative: 2e-5, absolute: 1e-4))
        }
    }
}
