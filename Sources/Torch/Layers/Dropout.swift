/// Zeroes values with a probability while training (Srivastava et al. 2014), as `torch.nn.Dropout`.
public final class Dropout: Layer {
    private let probability: Double

    public init(_ probability: Double) { self.probability = probability }

    public override func callAsFunction(_ x: Tensor) -> Tensor { x.dropout(probability, training: isTraining) }
}
