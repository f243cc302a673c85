/// A module that takes one tensor to one tensor.
open class Layer: Module {
    open func callAsFunction(_ x: Tensor) -> Tensor {
        fatalError("\(type(of: self)) does not override callAsFunction")
    }
}

/// Layers one after the other; their keys are their positions (`0.weight`), as in `torch.nn.Sequential`.
public final class Sequential: Layer {
    public let layers: [Layer]

    public init(_ layers: [Layer]) { self.layers = layers }
    public convenience init(_ layers: Layer...) { self.init(layers) }

    public override var children: [(key: String, child: Module)] { layers.enumerated().map { ("\($0)", $1) } }

    public override func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}

/// A function without parameters as a layer.
public final class Activation: Layer {
    private let function: (Tensor) -> Tensor

    public init(_ function: @escaping (Tensor) -> Tensor) { self.function = function }

    public override func callAsFunction(_ x: Tensor) -> Tensor { function(x) }

    /// Over its input's memory.
    public static var relu: Activation { Activation { $0.reluInPlace() } }
    public static var gelu: Activation { Activation { $0.gelu() } }
    public static var identity: Activation { Activation { $0 } }
}
