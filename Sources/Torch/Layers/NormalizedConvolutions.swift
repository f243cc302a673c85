internal import CTorch

extension Tensor {
    /// Convolutions in a row, each followed by its batch normalisation and a ReLU: max(0, N(C(x)) + residual) after the last.
    ///
    /// On the CPU in float32 this is one operation: what lies between is made again for the gradient instead of being kept, and large
    /// results of convolutions as well. In evaluation mode without a graph, the normalisations become part of the kernels.
    /// ``Recomputation/current`` says what is made again.
    /// - Parameters:
    ///   - residual: of the result's shape; added before the last ReLU.
    ///   - relu: whether the last one is applied.
    public func convolved(by layers: (Conv2d, BatchNorm)..., adding residual: Tensor? = nil, relu: Bool = true) -> Tensor {
        convolved(by: layers, adding: residual, relu: relu)
    }

    func convolved(by layers: [(Conv2d, BatchNorm)], adding residual: Tensor?, relu: Bool) -> Tensor {
        if layers[0].1.isJoined(to: layers), layers.allSatisfy({ $0.0.isPlain }), !layers[0].1.folds(self), ct_joins_convolutions(handle) {
            return joined(layers, adding: residual, relu: relu)
        }
        var x = self
        for (index, (convolution, norm)) in layers.enumerated() {
            let isLast = index == layers.count - 1
            let added = isLast ? residual : nil
            x =
                norm.folded(into: convolution, x, adding: added, relu: !isLast || relu)
                ?? norm.normalized(convolution(x), adding: added, relu: !isLast || relu)
        }
        return x
    }

    private func joined(_ layers: [(Conv2d, BatchNorm)], adding residual: Tensor?, relu: Bool) -> Tensor {
        for (_, norm) in layers { norm.countBatch(self) }
        let given = layers.map { convolution, norm in
            ct_normalized_convolution(
                kernel: convolution.weight.value.handle, stride: Int64(convolution.stride), padding: Int64(convolution.padding),
                weight: norm.weight!.value.handle, bias: norm.bias!.value.handle, running_mean: norm.runningMean.value.handle,
                running_variance: norm.runningVar.value.handle)
        }
        let norm = layers[0].1
        var result: ct_tensor?
        check("normalized_convolutions", [self, residual].compactMap { $0 } + layers.map(\.0.weight.value)) {
            ct_normalized_convolutions(
                handle, given, given.count, residual?.handle, norm.isTraining, norm.momentum, norm.epsilon, relu,
                Recomputation.current.kept, &result)
        }
        return Tensor(result!)
    }

    /// The stem of many networks: convolution, batch normalisation, ReLU, max pooling.
    public func convolved(by convolution: Conv2d, _ norm: BatchNorm, maxPool kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
        if let y = norm.folded(into: convolution, self, adding: nil, relu: true) {
            return y.maxPool2d(kernel, stride: stride, padding: padding)
        }
        return norm.relu(convolution(self), maxPool: kernel, stride: stride, padding: padding)
    }
}

/// Which results of convolutions are computed a second time for the gradient instead of being kept: memory against time, with the same
/// numbers. It holds where a residual branch or a stem is one operation (``Tensor/convolved(by:adding:relu:)``), on the CPU in float32.
public enum Recomputation: String, Codable, Sendable, CaseIterable {
    /// Every result is kept: the fastest.
    case none
    /// Those of 64 MB and more, and those of 16 MB and more that are quickly made.
    case large
    /// Every one: the least memory.
    case all

    @TaskLocal public static var current = Recomputation.large

    fileprivate var kept: ct_keeping {
        switch self {
        case .none: CT_KEEP_ALL
        case .large: CT_KEEP_SMALL
        case .all: CT_KEEP_NONE
        }
    }
}
