/// Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957, algorithm 1): weights divided by their largest singular value, which
/// one step of power iteration follows in every call in training, as `torch.nn.utils.parametrizations.spectral_norm`.
public final class SpectralNorm: Module {
    /// [out] and [in], the singular vectors: unit.
    public let u: Buffer
    public let v: Buffer

    /// - Parameter weight: [out, …]
    public init(_ weight: Tensor) {
        let matrix = weight.detached().contiguous().flattened(from: 1)
        u = Buffer(Tensor.randn([matrix.size(0)], matrix.dataType).normalized())
        v = Buffer(Tensor.randn([matrix.size(1)], matrix.dataType).normalized())
        super.init()
        for _ in 0..<15 { iterate(matrix) }
    }

    private func iterate(_ matrix: Tensor) {
        withoutGradients {
            v.set(matrix.t.matmul(u.value).normalized())
            u.set(matrix.matmul(v.value).normalized())
        }
    }

    /// weight / uᵀ·weight·v, with the gradient through both.
    public func callAsFunction(_ weight: Tensor) -> Tensor {
        let matrix = weight.contiguous().flattened(from: 1)
        if isTraining { iterate(matrix.detached()) }
        // Copies: the next call writes into the buffers before this one's gradient is asked for.
        let sigma = (u.value.cloned() * matrix.matmul(v.value.cloned())).sum()
        return weight / sigma
    }
}

/// A convolution of odd kernel and stride 1 that keeps the maps' size, spectrally normalised.
public final class SpectralConv2d: Layer {
    public let weight: Parameter
    public let bias: Parameter
    public let norm: SpectralNorm
    private let padding: Int

    public init(_ inputs: Int, _ outputs: Int, kernel: Int) {
        let plain = Conv2d(inputs, outputs, kernel: kernel)
        weight = plain.weight
        bias = plain.bias!
        norm = SpectralNorm(plain.weight.value)
        padding = kernel / 2
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        x.conv2d(norm(weight.value).contiguous(.channelsLast), bias.value, padding: padding)
    }
}

/// A linear layer, spectrally normalised.
public final class SpectralLinear: Layer {
    public let weight: Parameter
    public let bias: Parameter
    public let norm: SpectralNorm

    public init(_ inputs: Int, _ outputs: Int) {
        let plain = Linear(inputs, outputs)
        weight = plain.weight
        bias = plain.bias!
        norm = SpectralNorm(plain.weight.value)
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { x.linear(norm(weight.value), bias.value) }
}
