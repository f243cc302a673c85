extension Tensor {
    /// Convolutions in a row, each followed by its batch normalisation and a ReLU: max(0, N(C(x)) + residual) after the last.
    ///
    /// What lies between is not kept for the gradient but made again (see ``BatchNorm/relu(_:into:)``); in evaluation mode
    /// without a graph, the normalisations become part of the kernels.
    /// - Parameters:
    ///   - residual: of the result's shape; added before the last ReLU.
    ///   - relu: whether the last one is applied.
    public func convolved(by layers: (Conv2d, BatchNorm)..., adding residual: Tensor? = nil, relu: Bool = true) -> Tensor {
        if layers.count == 2, layers[0].1.sharesSettings(with: layers[1].1), layers[0].0.isRecomputed(self, isLast: false),
            layers[1].0.isPlain
        {
            return layers[0].1.recomputing(layers[0].0, self, into: layers[1].0, then: layers[1].1, adding: residual, relu: relu)
        }
        var x = self
        var waiting: BatchNorm?  // whose normalisation and ReLU the next convolution takes along
        for (index, (convolution, norm)) in layers.enumerated() {
            let isLast = index == layers.count - 1
            if waiting == nil, let y = norm.folded(into: convolution, x, adding: isLast ? residual : nil, relu: !isLast || relu) {
                x = y
                continue
            }
            if isLast, let waiting, waiting.sharesSettings(with: norm), convolution.isRecomputed(x, isLast: true) {
                return waiting.recomputing(nil, x, into: convolution, then: norm, adding: residual, relu: relu)
            }
            x = waiting?.relu(x, into: convolution) ?? convolution(x)
            waiting = norm
        }
        return waiting?.normalized(x, adding: residual, relu: relu) ?? x
    }

    /// The stem of many networks: convolution, batch normalisation, ReLU, max pooling.
    public func convolved(by convolution: Conv2d, _ norm: BatchNorm, maxPool kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
        if let y = norm.folded(into: convolution, self, adding: nil, relu: true) {
            return y.maxPool2d(kernel, stride: stride, padding: padding)
        }
        return norm.relu(convolution(self), maxPool: kernel, stride: stride, padding: padding)
    }
}
