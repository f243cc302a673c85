public import Torch

/// K learned directions cₖ that embeddings are compared with: a linear layer without bias.
public final class Prototypes: Module {
    /// [K, d]
    public let weight: Parameter

    public init(_ count: Int, width: Int) { weight = Linear(width, count, bias: false).weight }

    public var count: Int { weight.value.size(0) }

    /// zᵀcₖ: [n, d] to [n, K].
    public func callAsFunction(_ z: Tensor) -> Tensor { z.linear(weight.value) }

    /// zᵀcₖ/‖cₖ‖, with the gradient through the norm (a weight-normalised layer whose gain is fixed at 1, DINO's).
    public func normalizedScores(_ z: Tensor) -> Tensor { z.linear(weight.value.normalized()) }

    /// Makes the weights themselves unit vectors (SwAV: before each step).
    public func normalize() { withoutGradients { weight.value.copyInPlace(weight.value.normalized()) } }
}
