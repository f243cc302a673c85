public import Torch

/// A backbone of patches, some of which can be hidden from it: what masked image modelling needs.
public protocol MaskableBackbone: Backbone {
    /// The side of a patch in pixels.
    var patchSize: Int { get }

    /// Tokens that come before those of the patches, and stand for no place.
    var prefixTokens: Int { get }

    /// Patches along the sides of an image; pixels at the right and bottom edge that do not fill one are left out.
    func grid(height: Int, width: Int) -> PatchGrid

    /// One vector for every token, normalised as for pooling.
    /// - Parameter x: [n, 3, h, w], normalised.
    /// - Returns: [n, prefixTokens + patches, outputWidth]; of the visible patches alone, in the order of their indices, where
    ///   only those are encoded.
    func tokens(_ x: Tensor, _ masking: Masking) -> Tensor

    /// What the first block gets: the tokens with their positions, not yet encoded. Shapes as of `tokens`.
    func embedded(_ x: Tensor, _ masking: Masking) -> Tensor

    /// Any number of embedded tokens through the blocks, and normalised: [n, t, outputWidth] to the same.
    func encoded(_ tokens: Tensor) -> Tensor

    /// Tokens to the representation that the backbone gives, [n, outputWidth]; hidden patches that are not encoded do not count.
    func pooled(_ tokens: Tensor) -> Tensor

    /// The patches' tokens as each of the last blocks leaves them, not normalised.
    /// - Returns: `count` times [n, patches, outputWidth], the last block's last.
    func lastBlocks(_ x: Tensor, _ count: Int) -> [Tensor]
}

extension MaskableBackbone {
    public func tokens(_ x: Tensor, _ masking: Masking) -> Tensor { encoded(embedded(x, masking)) }
}

/// What a backbone of patches gets to see.
public enum Masking {
    case none
    /// Only these patches are encoded (MAE, I-JEPA): [n, k] int64 places in reading order, the same number for each image.
    case visible(Tensor)
    /// A vector stands instead of some patches, at whose places it gets their positions (iBOT, SimMIM).
    /// - Parameters:
    ///   - mask: [n, patches] bool, true where a patch is hidden.
    ///   - token: [outputWidth]
    case replaced(_ mask: Tensor, by: Tensor)
}

/// Rows and columns of patches.
public struct PatchGrid: Sendable, Equatable {
    public let rows: Int
    public let columns: Int

    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows * columns }
}

extension Tensor {
    /// The tokens at given places: [n, t, d] and [n, k] int64 to [n, k, d].
    public func tokens(at places: Tensor) -> Tensor {
        gathered(1, places.unsqueezed(2).expanded([places.size(0), places.size(1), size(2)]))
    }
}
