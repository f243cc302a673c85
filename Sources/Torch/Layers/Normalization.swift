internal import CTorch

/// Batch normalisation (Ioffe & Szegedy 2015) over all but dimension 1, as `torch.nn.BatchNorm1d` and `BatchNorm2d`:
/// [n, c] and [n, c, h, w] alike.
public final class BatchNorm: Layer {
    /// [c]; absent when not affine.
    public let weight: Parameter?
    public let bias: Parameter?
    /// [c]
    public let runningMean: Buffer
    /// [c], of the unbiased estimate.
    public let runningVar: Buffer
    /// Scalar int64.
    public let numBatchesTracked: Buffer

    let epsilon: Double
    let momentum: Double
    private let folding = FoldedKernel()

    /// - Parameter momentum: the weight of the newest batch in the running statistics.
    public init(_ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true) {
        weight = affine ? Parameter(.ones([channels])) : nil
        bias = affine ? Parameter(.zeros([channels])) : nil
        runningMean = Buffer(.zeros([channels]))
        runningVar = Buffer(.ones([channels]))
        numBatchesTracked = Buffer(.zeros([], .int64))
        self.epsilon = epsilon
        self.momentum = momentum
    }

    /// Sets the weight to zero: what follows begins as if this branch were absent.
    public func startAtZero() {
        withoutGradients { () -> Void in weight?.value.zeroInPlace() }
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { normalized(x, adding: nil, relu: false) }

    /// max(0, normalised x + residual): what follows a convolution in most networks, in one pass over memory.
    /// - Parameter residual: of x's shape.
    public func relu(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor { normalized(x, adding: residual, relu: true) }

    /// convolution(relu(x)), without keeping what lies between for the gradient: it is made again from x, which is kept anyway.
    public func relu(_ x: Tensor, into convolution: Conv2d) -> Tensor {
        guard convolution.isPlain else { return convolution(relu(x)) }
        countBatch(x)
        var result: ct_tensor?
        check("batch_norm_convolution", x, convolution.weight.value) {
            ct_batch_norm_convolution(
                x.handle, weight?.value.handle, bias?.value.handle, runningMean.value.handle, runningVar.value.handle, isTraining, momentum,
                epsilon, convolution.weight.value.handle, Int64(convolution.stride), Int64(convolution.padding), &result)
        }
        return Tensor(result!)
    }

    /// The maxima of relu(x) in windows, as ``Tensor/maxPool2d(_:stride:padding:)``, without keeping what lies between for the gradient.
    public func relu(_ x: Tensor, maxPool kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
        countBatch(x)
        var result: ct_tensor?
        check("batch_norm_max_pool", x) {
            ct_batch_norm_max_pool(
                x.handle, weight?.value.handle, bias?.value.handle, runningMean.value.handle, runningVar.value.handle, isTraining, momentum,
                epsilon, Int64(kernel), Int64(stride), Int64(padding), &result)
        }
        return Tensor(result!)
    }

    /// Whether one operation may do these convolutions and normalisations, of which this is one.
    func isJoined(to layers: [(Conv2d, BatchNorm)]) -> Bool {
        layers.allSatisfy { _, other in
            other.weight != nil && momentum == other.momentum && epsilon == other.epsilon && isTraining == other.isTraining
        }
    }

    /// Whether x is normalised by folding: in evaluation mode, where no graph is recorded and oneDNN is there.
    func folds(_ x: Tensor) -> Bool { !isTraining && ct_folds_convolution(x.handle) }

    /// self(convolution(x)) [+ residual] [→ ReLU] with the normalisation folded into the kernel; nil where that cannot be: in
    /// training, where a graph is recorded, or without oneDNN.
    func folded(into convolution: Conv2d, _ x: Tensor, adding residual: Tensor?, relu: Bool) -> Tensor? {
        guard convolution.isPlain, folds(x) else { return nil }
        var result: ct_tensor?
        check("folded_convolution", [x, convolution.weight.value, residual].compactMap { $0 }) {
            ct_folded_convolution(
                folding.handle(), x.handle, convolution.weight.value.handle, Int64(convolution.stride), Int64(convolution.padding),
                weight?.value.handle,
                bias?.value.handle, runningMean.value.handle, runningVar.value.handle, epsilon, residual?.handle, relu, &result)
        }
        return Tensor(result!)
    }

    func countBatch(_ x: Tensor) {
        guard isTraining else { return }
        numBatchesTracked.value.addInPlace(Tensor(scalar: 1).to(x.device))
        folding.release()
    }

    func normalized(_ x: Tensor, adding residual: Tensor?, relu: Bool) -> Tensor {
        countBatch(x)
        var result: ct_tensor?
        check("batch_norm", [x, residual, weight?.value].compactMap { $0 }) {
            ct_batch_norm(
                x.handle, residual?.handle, weight?.value.handle, bias?.value.handle, runningMean.value.handle, runningVar.value.handle,
                isTraining, momentum, epsilon, relu, &result)
        }
        return Tensor(result!)
    }
}

/// Group normalisation (Wu & He 2018), as `torch.nn.GroupNorm`.
public final class GroupNorm: Layer {
    public let weight: Parameter
    public let bias: Parameter
    private let groups: Int
    private let epsilon: Double

    public init(_ groups: Int, _ channels: Int, epsilon: Double = 1e-5) {
        weight = Parameter(.ones([channels]))
        bias = Parameter(.zeros([channels]))
        self.groups = groups
        self.epsilon = epsilon
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { ATen.groupNorm(x, groups, weight.value, bias.value, epsilon) }
}

/// Layer normalisation (Ba et al. 2016) over the last dimension, as `torch.nn.LayerNorm`.
public final class LayerNorm: Layer {
    public let weight: Parameter
    public let bias: Parameter
    private let epsilon: Double

    public init(_ width: Int, epsilon: Double = 1e-5) {
        weight = Parameter(.ones([width]))
        bias = Parameter(.zeros([width]))
        self.epsilon = epsilon
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        ATen.layerNorm(x, [weight.value.count], weight.value, bias.value, epsilon)
    }
}

/// What inference keeps of a convolution with this normalisation folded into it, until training goes on.
private final class FoldedKernel {
    private var kept: ct_folded?

    func handle() -> ct_folded {
        if kept == nil { kept = ct_folded_make() }
        return kept!
    }

    func release() {
        if let kept { ct_folded_release(kept) }
        kept = nil
    }

    deinit { release() }
}
