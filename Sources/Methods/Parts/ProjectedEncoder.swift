public import Backbones
public import Torch

/// A backbone f and a head g on it: z = g(f(x)).
public final class ProjectedEncoder: Module {
    public let encoder: Encoder
    public let projector: Layer

    public init(_ encoder: Encoder, _ projector: Layer) {
        self.encoder = encoder
        self.projector = projector
    }

    /// Pixels [n, 3, h, w] to [n, d].
    public func callAsFunction(_ pixels: Tensor) -> Tensor { projector(encoder(pixels)) }

    /// The same in parts, each of which batch normalisation sees alone, as if each were on a device of its own (MoCo's
    /// split-BN). Fewer parts where they would be of single samples.
    public func callAsFunction(_ pixels: Tensor, parts: Int) -> Tensor {
        let parts = Swift.min(parts, pixels.size(0) / 2)
        return parts <= 1 ? self(pixels) : .concatenated(pixels.chunks(parts).map { self($0) })
    }

    /// Every view's z. Neighbours of one size pass as one batch, as SwAV's and DINO's code have it.
    public func together(_ views: [Tensor]) -> [Tensor] {
        var groups: [[Tensor]] = []
        for view in views {
            if groups.last?.last?.shape == view.shape { groups[groups.count - 1].append(view) } else { groups.append([view]) }
        }
        return groups.flatMap { self(.concatenated($0)).chunks($0.count) }
    }
}
