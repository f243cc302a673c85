extension Tensor {
    /// Convolutions in a row, each followed by its batch normalisation and a ReLU: max(0, N(C(x)) + residual) after the last.
    ///
    /// What lies between is not kept for the gradient but made again (see ``BatchNorm/relu(_:into:)``); in evaluation mode
    /// without a graph, the normalisations become part of the kernels.
    /// - Parameters:
    ///   - residual: of the result's shape; added before the last ReLU.
    ///   - relu: whether the last one is applied.
    public func convolved(by layers: (Conv2d, BatchNorm)..., adding residual: Tensor? = nil, relu: Bool = true) -> Tensor {
        var x = self
        var waiting: BatchNorm?  // whose normalisation and ReLU the next convolution takes along
        for (index, (convolution, norm)) in layers.enumerated() {
            let isLast = index == layers.count - 1
            if waiting == nil, let y = norm.folded(into: convolution, x, adding: isLast ? residual : nil, relu: !isLast || relu) {
                x = y
                continue
            }
            if isLast, let y = waiting?.relu(x, into: convolution, then: norm, adding: residual, relu: relu) { return y }
            x = waiting?.relu(x, into: convolution) ?? convolution(x)
            waiting = norm
        }
        return waiting?.normalized(x, adding: residual, relu: relu) ?? x
    }
}
