public import Backbones
public import Torch

/// A backbone f and a head g on it: z = g(f(x)).
public final class ProjectedEncoder: Module {
    public let encoder: Encoder
    public let projector: MLP

    public init(_ encoder: Encoder, _ projector: MLP) {
        self.encoder = encoder
        self.projector = projector
    }

    /// Pixels [n, 3, h, w] to [n, d].
    public func callAsFunction(_ pixels: Tensor) -> Tensor { projector(encoder(pixels)) }
}
