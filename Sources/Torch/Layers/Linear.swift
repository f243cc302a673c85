/// y = x Wᵀ + b, as `torch.nn.Linear`.
public final class Linear: Layer {
    /// [out, in]
    public let weight: Parameter
    /// [out]
    public let bias: Parameter?

    public init(_ inputs: Int, _ outputs: Int, bias: Bool = true) {
        let weight = Tensor.zeros([outputs, inputs])
        Initialization.defaultUniform(weight, fanIn: inputs)
        self.weight = Parameter(weight)
        if bias {
            let bias = Tensor.zeros([outputs])
            Initialization.defaultUniform(bias, fanIn: inputs)
            self.bias = Parameter(bias)
        } else {
            self.bias = nil
        }
    }

    /// [n, …, in] to [n, …, out].
    public override func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight.value, bias?.value) }
}
