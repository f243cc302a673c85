extension Tensor {
    /// The same values in another shape; one size may be −1.
    public func reshaped(_ shape: Int...) -> Tensor { ATen.reshape(self, shape) }
    public func reshaped(_ shape: [Int]) -> Tensor { ATen.reshape(self, shape) }
    public func permuted(_ order: Int...) -> Tensor { ATen.permute(self, order) }
    public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor { ATen.transpose(self, a, b) }
    /// The transpose of a matrix.
    public var t: Tensor { transposed() }
    public func flattened(from first: Int = 0, to last: Int = -1) -> Tensor { ATen.flatten(self, first, last) }
    public func unsqueezed(_ dimension: Int) -> Tensor { ATen.unsqueeze(self, dimension) }
    public func squeezed(_ dimension: Int) -> Tensor { ATen.squeeze(self, dimension) }
    public func expanded(_ shape: [Int]) -> Tensor { ATen.expand(self, shape) }

    /// `count` slices of a dimension, from `start`, sharing their storage.
    public func narrowed(_ dimension: Int, from start: Int, count: Int) -> Tensor { ATen.narrow(self, dimension, start, count) }

    /// Every `step`-th slice of a dimension, from the first, sharing their storage.
    public func every(_ step: Int, _ dimension: Int) -> Tensor { ATen.slice(self, dimension, 0, size(dimension), step) }

    /// One slice of a dimension, without that dimension.
    public func selected(_ dimension: Int, _ index: Int) -> Tensor { ATen.select(self, dimension, index) }

    /// Row `index`: self[index] of the first dimension.
    public subscript(index: Int) -> Tensor { selected(0, index) }

    /// Rows of the first dimension.
    public subscript(rows: Range<Int>) -> Tensor { narrowed(0, from: rows.lowerBound, count: rows.count) }

    /// The slices that `indices` ([n], int64) name, in that order.
    public func rows(_ indices: Tensor, dimension: Int = 0) -> Tensor { ATen.indexSelect(self, dimension, indices) }

    /// NumPy's advanced indexing; nil stands for a whole dimension. A bool tensor picks where it holds.
    public func indexed(_ indices: [Tensor?]) -> Tensor { ATen.index(self, indices) }

    /// Per position, the element of `dimension` that `indices` names.
    public func gathered(_ dimension: Int, _ indices: Tensor) -> Tensor { ATen.gather(self, dimension, indices) }

    /// self with `source` added at the positions that `indices` names along `dimension`.
    public func scatterAdded(_ dimension: Int, _ indices: Tensor, _ source: Tensor) -> Tensor {
        ATen.scatterAdd(self, dimension, indices, source)
    }

    /// self with the slices of `source` added to the slices that `indices` ([n], int64) names; a name may occur repeatedly.
    public func indexAdded(_ dimension: Int, _ indices: Tensor, _ source: Tensor) -> Tensor {
        ATen.indexAdd(self, dimension, indices, source)
    }

    /// Replaces the slices that `indices` names.
    public func indexCopyInPlace(_ dimension: Int, _ indices: Tensor, _ source: Tensor) {
        ATen.indexCopyInPlace(self, dimension, indices, source)
    }

    /// Equal parts of a dimension (the last may be smaller).
    public func chunks(_ count: Int, dimension: Int = 0) -> [Tensor] { ATen.chunk.list(self, count, dimension) }

    /// Parts of `size` along a dimension (the last may be smaller).
    public func split(_ size: Int, dimension: Int = 0) -> [Tensor] { ATen.split.list(self, size, dimension) }

    public static func concatenated(_ tensors: [Tensor], dimension: Int = 0) -> Tensor { ATen.cat(tensors, dimension) }
    public static func stacked(_ tensors: [Tensor], dimension: Int = 0) -> Tensor { ATen.stack(tensors, dimension) }

    /// Windows of a dimension, which go to a new last dimension.
    public func unfolded(_ dimension: Int, size: Int, step: Int) -> Tensor { ATen.unfold(self, dimension, size, step) }

    /// With zeros around: how many before and after the last dimension, then the one before it.
    public func padded(_ counts: [Int]) -> Tensor { ATen.constantPad(self, counts, 0.0) }

    public func flipped(_ dimensions: Int...) -> Tensor { ATen.flip(self, dimensions) }

    /// Rotated by quarter turns, counter-clockwise in the plane of the last two dimensions.
    public func rotated(quarterTurns: Int) -> Tensor { ATen.rot90(self, quarterTurns, [-2, -1]) }

    public func rolled(_ shift: Int, dimension: Int) -> Tensor { ATen.roll(self, [shift], [dimension]) }
    public var diagonal: Tensor { ATen.diagonal(self) }

    /// With zeros below the diagonal that lies `offset` columns to the right of the main one.
    public func upperTriangle(offset: Int = 0) -> Tensor { ATen.triu(self, offset) }

    /// A copy with the main diagonal set to `value`.
    public func withDiagonal(_ value: Double) -> Tensor {
        filled(value, where: Tensor.eye(size(-1), .bool, on: device))
    }
}
