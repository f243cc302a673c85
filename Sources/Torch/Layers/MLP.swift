/// A multi-layer perceptron as self-supervised methods use it for projectors and predictors: linear layers with
/// batch normalisation and ReLU between them.
public final class MLP: Layer {
    public let layers: Sequential

    /// - Parameters:
    ///   - widths: input, hidden…, output; at least two.
    ///   - batchNorm: after every hidden linear layer, which then has no bias.
    ///   - outputBatchNorm: after the last layer as well.
    ///   - outputAffine: whether that one has weight and bias.
    ///   - outputBias: whether the last linear layer has a bias; by default unless a batch-norm follows.
    public init(
        _ widths: [Int], batchNorm: Bool = true, outputBatchNorm: Bool = false, outputAffine: Bool = true, outputBias: Bool? = nil
    ) {
        guard widths.count >= 2 else { fatalError("an MLP needs an input and an output width, not \(widths)") }
        var layers: [Layer] = []
        for (index, (inputs, outputs)) in zip(widths, widths.dropFirst()).enumerated() {
            if index < widths.count - 2 {
                layers.append(Linear(inputs, outputs, bias: !batchNorm))
                if batchNorm { layers.append(BatchNorm(outputs)) }
                layers.append(Activation.relu)
            } else {
                layers.append(Linear(inputs, outputs, bias: outputBias ?? !outputBatchNorm))
                if outputBatchNorm { layers.append(BatchNorm(outputs, affine: outputAffine)) }
            }
        }
        self.layers = Sequential(layers)
    }

    /// Its layers' keys are its own (`0.weight`), as those of a Sequential.
    public override var children: [(key: String, child: Module)] { layers.children }

    /// [n, widths.first] to [n, widths.last].
    public override func callAsFunction(_ x: Tensor) -> Tensor { layers(x) }
}
