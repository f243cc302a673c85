internal import Torch

/// Selective kernels (Li et al. 2019, arXiv:1903.06586): two convolutions, and what every channel takes of the one and of the other.
///
///     s = mean over positions of (U₁ + U₂),   z = ReLU(N(W₁s)),   a = softmax over the two of W₂z,   V = a₁U₁ + a₂U₂
final class SelectiveKernel: Layer {
    enum Form {
        /// As timm has them: 3×3 and one that is dilated to see 5×5, each of half of the input's channels.
        case halves
        /// As SimCLRv2 has them (Chen et al. 2020, arXiv:2006.10029, the authors' code): twice 3×3 of all channels.
        case whole
    }

    let paths: [ConvolutionNorm]
    let attn: Attention
    private let form: Form

    /// - Parameters:
    ///   - inputs: an even number for halves.
    ///   - reduction: z has 1 / reduction of the output's channels, in multiples of `divisor`; SimCLRv2's 1/16, and at least 32.
    init(_ inputs: Int, _ outputs: Int, stride: Int, reduction: Int, divisor: Int, form: Form, norm: ResNet.Norm) {
        self.form = form
        let seen = form == .halves ? inputs / 2 : inputs
        paths = [1, form == .halves ? 2 : 1].map {
            ConvolutionNorm(norm.convolution(seen, outputs, kernel: 3, stride: stride, dilation: $0), norm.make(outputs))
        }
        if form == .whole {
            attn = Attention(outputs, Swift.max(32, outputs / 16), norm)
            return
        }
        let (wanted, half) = (Double(outputs) / Double(reduction), Double(divisor) / 2)
        var inner = Swift.max(divisor, Int(wanted + half) / divisor * divisor)
        if Double(inner) < 0.9 * wanted { inner += divisor }
        attn = Attention(outputs, inner, norm)
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        let seen = form == .whole ? [x, x] : x.chunks(2, dimension: 1).map { $0.contiguous(.channelsLast) }
        let (first, second) = (paths[0](seen[0]), paths[1](seen[1]))
        let shares = attn(first + second)
        return first * shares[0] + second * shares[1]
    }

    final class Attention: Module {
        let fcReduce: Conv2d
        let bn: Layer
        let fcSelect: Conv2d

        init(_ channels: Int, _ inner: Int, _ norm: ResNet.Norm) {
            fcReduce = norm.convolution(channels, inner, kernel: 1)
            bn = norm.make(inner)
            fcSelect = norm.convolution(inner, 2 * channels, kernel: 1)
        }

        /// - Returns: of each path, [n, c, 1, 1].
        func callAsFunction(_ sum: Tensor) -> [Tensor] {
            let z = sum.mean(2, 3, keep: true).convolved(byAny: (fcReduce, bn))
            let scores = fcSelect(z)
            let shares = scores.reshaped(scores.size(0), 2, scores.size(1) / 2, 1, 1).softmax(1)
            return [shares.selected(1, 0), shares.selected(1, 1)]
        }
    }
}

/// A convolution, its normalisation and a ReLU.
final class ConvolutionNorm: Layer {
    let conv: Conv2d
    let bn: Layer

    init(_ conv: Conv2d, _ bn: Layer) { (self.conv, self.bn) = (conv, bn) }

    override func callAsFunction(_ x: Tensor) -> Tensor { x.convolved(byAny: (conv, bn)) }

    /// max(0, what it makes of x without its ReLU + residual).
    func callAsFunction(_ x: Tensor, adding residual: Tensor) -> Tensor { x.convolved(byAny: (conv, bn), adding: residual) }
}

/// As a basic block, with selective kernels in place of its first convolution.
final class SelectiveBasicBlock: Layer {
    let conv1: SelectiveKernel
    let conv2: ConvolutionNorm
    let downsample: Layer?

    init(_ inputs: Int, _ channels: Int, stride: Int, norm: ResNet.Norm, isD: Bool, zeroInit: Bool) {
        conv1 = SelectiveKernel(inputs, channels, stride: stride, reduction: 8, divisor: 16, form: .halves, norm: norm)
        conv2 = ConvolutionNorm(norm.convolution(channels, channels, kernel: 3), norm.make(channels))
        downsample = shortcut(inputs, channels, stride: stride, norm, isD: isD)
        if zeroInit { startAtZero(conv2.bn) }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor { conv2(conv1(x), adding: downsample?(x) ?? x) }
}

/// As a bottleneck, with selective kernels in place of its 3×3 convolution.
final class SelectiveBottleneck: Layer {
    let conv1: ConvolutionNorm
    let conv2: SelectiveKernel
    let conv3: ConvolutionNorm
    let downsample: Layer?

    init(_ inputs: Int, _ channels: Int, stride: Int, form: SelectiveKernel.Form, norm: ResNet.Norm, isD: Bool, zeroInit: Bool) {
        conv1 = ConvolutionNorm(norm.convolution(inputs, channels, kernel: 1), norm.make(channels))
        conv2 = SelectiveKernel(channels, channels, stride: stride, reduction: 16, divisor: 8, form: form, norm: norm)
        conv3 = ConvolutionNorm(norm.convolution(channels, 4 * channels, kernel: 1), norm.make(4 * channels))
        downsample = shortcut(inputs, 4 * channels, stride: stride, norm, isD: isD)
        if zeroInit { startAtZero(conv3.bn) }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor { conv3(conv2(conv1(x)), adding: downsample?(x) ?? x) }
}

private func shortcut(_ inputs: Int, _ outputs: Int, stride: Int, _ norm: ResNet.Norm, isD: Bool) -> Layer? {
    guard stride > 1 || inputs != outputs else { return nil }
    return isD ? AveragedProjection(inputs, outputs, stride: stride, norm: norm) : Projection(inputs, outputs, stride: stride, norm: norm)
}

/// ResNet-D's shortcut, which averages where ``Projection`` skips; its keys are `1` and `2`, as timm has them.
private final class AveragedProjection: Layer {
    private let convolution: Conv2d
    private let norm: Layer
    private let stride: Int

    init(_ inputs: Int, _ outputs: Int, stride: Int, norm: ResNet.Norm) {
        convolution = norm.convolution(inputs, outputs, kernel: 1)
        self.norm = norm.make(outputs)
        self.stride = stride
    }

    override var children: [(key: String, child: Module)] { [("1", convolution), ("2", norm)] }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        (stride > 1 ? x.averagePool2d(2, stride: stride, coversEdges: true) : x).convolved(byAny: (convolution, norm), relu: false)
    }
}
