/// Maximum over windows, as `torch.nn.MaxPool2d`.
public final class MaxPool2d: Layer {
    private let kernel: Int
    private let stride: Int
    private let padding: Int

    public init(_ kernel: Int, stride: Int, padding: Int = 0) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { x.maxPool2d(kernel, stride: stride, padding: padding) }
}

/// Mean over windows, as `torch.nn.AvgPool2d`.
public final class AveragePool2d: Layer {
    private let kernel: Int
    private let stride: Int

    public init(_ kernel: Int, stride: Int) {
        self.kernel = kernel
        self.stride = stride
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { x.averagePool2d(kernel, stride: stride) }
}
