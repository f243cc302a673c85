extension Tensor {
    /// As `convolved(by:)`, with normalisations of any kind; batch normalisation goes that method's way.
    public func convolved(
        byAny layers: (convolution: Conv2d, norm: Layer)..., adding residual: Tensor? = nil, relu: Bool = true
    ) -> Tensor {
        let batch = layers.compactMap { layer in (layer.norm as? BatchNorm).map { (layer.convolution, $0) } }
        if batch.count == layers.count {
            switch batch.count {
            case 1: return convolved(by: batch[0], adding: residual, relu: relu)
            case 2: return convolved(by: batch[0], batch[1], adding: residual, relu: relu)
            default: return convolved(by: batch[0], batch[1], batch[2], adding: residual, relu: relu)
            }
        }
        var x = self
        for (index, layer) in layers.enumerated() {
            if index > 0 { x = x.relu() }
            x = layer.norm(layer.convolution(x))
        }
        if let residual { x = x + residual }
        return relu ? x.relu() : x
    }
}
