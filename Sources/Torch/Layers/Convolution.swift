internal import CTorch

/// A two-dimensional convolution, as `torch.nn.Conv2d`, without padding modes other than zeros.
public final class Conv2d: Layer {
    /// [out, in / groups, kernel, kernel], kept in channels-last order.
    public let weight: Parameter
    /// [out]
    public let bias: Parameter?

    let stride: Int
    let padding: Int
    private let dilation: Int
    private let groups: Int
    private let standardizesWeight: Bool
    private let standardizationEpsilon: Double

    /// - Parameters:
    ///   - standardizesWeight: weight standardisation (Qiao et al. 2019, arXiv:1903.10520, eq. 5–8): the weights of each
    ///     output channel are used with mean 0 and variance 1.
    ///   - standardizationEpsilon: ε of that, added to the variance; 1e-10 is that of BiT's first code.
    ///   - kaimingFanOut: He's fan-out normal initialisation instead of PyTorch's default.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1,
        bias: Bool = true, standardizesWeight: Bool = false, standardizationEpsilon: Double = 1e-10,
        kaimingFanOut: Bool = false
    ) {
        let weight = Tensor.zeros([outputs, inputs / groups, kernel, kernel])
        let fanIn = inputs / groups * kernel * kernel
        if kaimingFanOut { Initialization.kaimingNormalFanOut(weight) } else { Initialization.defaultUniform(weight, fanIn: fanIn) }
        self.weight = Parameter(weight.contiguous(.channelsLast))
        if bias {
            let bias = Tensor.zeros([outputs])
            Initialization.defaultUniform(bias, fanIn: fanIn)
            self.bias = Parameter(bias)
        } else {
            self.bias = nil
        }
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.standardizesWeight = standardizesWeight
        self.standardizationEpsilon = standardizationEpsilon
    }

    /// [n, in, h, w] to [n, out, h′, w′].
    public override func callAsFunction(_ x: Tensor) -> Tensor {
        let weight = standardizesWeight ? standardized(weight.value) : weight.value
        if skipsFewChannels, x.device == .cpu {
            let taken = x.every(stride, 2).every(stride, 3).contiguous(.channelsLast)
            return taken.conv2d(weight, bias?.value, groups: groups)
        }
        guard dilation == 1, groups == 1 else {
            return x.conv2d(weight, bias?.value, stride: stride, padding: padding, dilation: dilation, groups: groups)
        }
        var result: ct_tensor?
        check("convolution", [x, weight, bias?.value].compactMap { $0 }) {
            ct_convolution(x.handle, weight.handle, bias?.value.handle, Int64(stride), Int64(padding), &result)
        }
        return Tensor(result!)
    }

    /// The gradient of a strided 1×1 convolution of fewer than 16 channels makes oneDNN 3.12 read where nothing is. Taking the stride
    /// first is the same.
    private var skipsFewChannels: Bool {
        let kernel = weight.value
        return stride > 1 && padding == 0 && kernel.size(2) == 1 && kernel.size(3) == 1 && kernel.size(1) < 16
    }

    /// Nothing but a kernel, a stride and a padding, in a form whose gradient can be relied on.
    var isPlain: Bool { bias == nil && dilation == 1 && groups == 1 && !standardizesWeight && !skipsFewChannels }

    private func standardized(_ weight: Tensor) -> Tensor {
        let centred = weight - weight.mean(1, 2, 3, keep: true)
        let variance = centred.squared().mean(1, 2, 3, keep: true)
        return centred * (variance + standardizationEpsilon).rsqrt()
    }
}
