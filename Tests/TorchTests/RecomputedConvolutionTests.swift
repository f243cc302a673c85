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

    /// Both convolutions: the first one's result is large too.
    @Test func twoLargeOnes() {
        func make() -> (Conv2d, BatchNorm, Conv2d, BatchNorm) {
            Runtime.seed(12)
            return (
                Conv2d(16, 64, kernel: 3, padding: 1, bias: false), BatchNorm(64), Conv2d(64, 64, kernel: 3, padding: 1, bias: false),
                BatchNorm(64)
            )
        }
        let (a, b) = (make(), make())
        let x = Tensor.randn([64, 16, 64, 64]).contiguous(.channelsLast)
        func run(_ parts: (Conv2d, BatchNorm, Conv2d, BatchNorm), _ body: (Tensor) -> Tensor) -> [Tensor] {
            let leaf = x.cloned()
            leaf.requiresGradient = true
            let y = body(leaf)
            (y * y.detached().sin()).sum().backward()
            let parameters = [parts.0.weight, parts.1.weight!, parts.1.bias!, parts.2.weight, parts.3.weight!, parts.3.bias!]
            return [y.detached(), leaf.gradient!] + parameters.map { $0.value.gradient! }
                + [parts.1, parts.3].flatMap { [$0.runningMean.value, $0.runningVar.value] }
        }
        #expect(a.0.isRecomputed(x, isLast: false))
        let ours = run(a) { $0.convolved(by: (a.0, a.1), (a.2, a.3)) }
        let theirs = run(b) { b.3.relu(b.1.relu(b.0($0), into: b.2)) }
        for (index, (a, b)) in zip(ours, theirs).enumerated() { #expect((a - b).abs().max().item == 0, "value \(index)") }
    }

    @Test func onlyWhereItPays() {
        let block = Block(1)
        let large = Tensor.randn([32, 16, 64, 64]).contiguous(.channelsLast)
        #expect(block.conv2.isRecomputed(large, isLast: true))
        #expect(!block.conv2.isRecomputed(large, isLast: false), "before the last, only twice as large ones")
        #expect(!block.conv2.isRecomputed(large[0..<16], isLast: true), "half as large")
        #expect(!withoutGradients { block.conv2.isRecomputed(large, isLast: true) }, "without a graph")
    }
}
