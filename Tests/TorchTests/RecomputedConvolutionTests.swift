import TestSupport
import Testing

@testable import Torch

/// A large convolution that is computed again for the gradient gives bit for bit what the kept one gives.
@Suite struct RecomputedConvolutionTests {
    private struct Block {
        let (conv1, conv2): (Conv2d, Conv2d)
        let (norm1, norm2): (BatchNorm, BatchNorm)

        init(_ stride: Int) {
            Runtime.seed(11)
            conv1 = Conv2d(8, 16, kernel: 1, bias: false)
            conv2 = Conv2d(16, 64, kernel: 3, stride: stride, padding: 1, bias: false)
            (norm1, norm2) = (BatchNorm(16), BatchNorm(64))
            withoutGradients {
                for norm in [norm1, norm2] {
                    norm.weight!.value.copyInPlace(.randn(norm.weight!.value.shape))
                    norm.bias!.value.copyInPlace(.randn(norm.bias!.value.shape))
                }
            }
        }

        /// The parameters' gradients and the running statistics.
        var state: [Tensor] {
            [conv1.weight, conv2.weight, norm1.weight!, norm1.bias!, norm2.weight!, norm2.bias!].map { $0.value.gradient! }
                + [norm1, norm2].flatMap { [$0.runningMean.value, $0.runningVar.value, $0.numBatchesTracked.value] }
        }
    }

    @Test(arguments: [(1, true, true), (2, true, false), (1, false, true)])
    func equalsTheKeptOne(stride: Int, training: Bool, adds: Bool) {
        let (recomputed, kept) = (Block(stride), Block(stride))
        let side = 64 * stride
        let x = Tensor.randn([32, 8, side, side]).contiguous(.channelsLast)
        let shortcut = adds ? Tensor.randn([32, 64, 64, 64]).contiguous(.channelsLast) : nil
        func run(_ block: Block, _ body: (Tensor, Tensor?) -> Tensor) -> [Tensor] {
            for norm in [block.norm1, block.norm2] { if !training { norm.eval() } }
            let leaves = [x, shortcut].map { given -> Tensor? in
                let leaf = given?.cloned()
                leaf?.requiresGradient = true
                return leaf
            }
            let y = body(leaves[0]!, leaves[1])
            (y * y.detached().sin()).sum().backward()
            return [y.detached()] + leaves.compactMap { $0?.gradient } + block.state
        }
        let ours = run(recomputed) {
            $0.convolved(by: (recomputed.conv1, recomputed.norm1), (recomputed.conv2, recomputed.norm2), adding: $1)
        }
        let theirs = run(kept) { kept.norm2.relu(kept.norm1.relu(kept.conv1($0), into: kept.conv2), adding: $1) }
        #expect(ours.count == theirs.count)
        for (index, (a, b)) in zip(ours, theirs).enumerated() {
            #expect((a - b).abs().max().item == 0, "value \(index)")
        }
    }

    @Test func onlyWhereItPays() {
        let block = Block(1)
        func isRecomputed(_ x: Tensor) -> Bool {
            block.norm1.relu(x, into: block.conv2, then: block.norm2, adding: nil, relu: true) != nil
        }
        let large = Tensor.randn([32, 16, 64, 64]).contiguous(.channelsLast)
        #expect(isRecomputed(large))
        #expect(!isRecomputed(large[0..<16]), "half as large")
        #expect(!withoutGradients { isRecomputed(large) }, "without a graph")
    }
}
