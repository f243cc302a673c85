extension Tensor {
    public func sum() -> Tensor { ATen.sumAll(self) }
    public func sum(_ dimensions: Int..., keep: Bool = false) -> Tensor { ATen.sum(self, dimensions, keep) }
    public func mean() -> Tensor { ATen.meanAll(self) }
    public func mean(_ dimensions: Int..., keep: Bool = false) -> Tensor { ATen.mean(self, dimensions, keep) }

    /// - Parameter correction: 1 for the unbiased estimate (n − 1), 0 for the biased one.
    public func variance(_ dimensions: Int..., correction: Int = 1, keep: Bool = false) -> Tensor {
        ATen.variance(self, dimensions, correction, keep)
    }

    public func standardDeviation(_ dimension: Int, correction: Int = 1, keep: Bool = false) -> Tensor {
        variance(dimension, correction: correction, keep: keep).sqrt()
    }

    public func max() -> Tensor { ATen.maxAll(self) }
    public func min() -> Tensor { ATen.minAll(self) }
    public func max(_ dimension: Int, keep: Bool = false) -> Tensor { ATen.amax(self, [dimension], keep) }
    public func min(_ dimension: Int, keep: Bool = false) -> Tensor { ATen.amin(self, [dimension], keep) }
    public func argmax(_ dimension: Int) -> Tensor { ATen.argmax(self, dimension) }
    public func argmin(_ dimension: Int) -> Tensor { ATen.argmin(self, dimension) }

    /// The `count` largest along a dimension, in falling order, and where they are.
    public func top(_ count: Int, dimension: Int = -1) -> (values: Tensor, indices: Tensor) {
        let found = ATen.topk.tuple(self, count, dimension)
        return (found[0], found[1])
    }

    /// Stable.
    public func sorted(_ dimension: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
        let found = ATen.sort.tuple(self, true, dimension, descending)
        return (found[0], found[1])
    }

    public func logSumExp(_ dimension: Int, keep: Bool = false) -> Tensor { ATen.logsumexp(self, [dimension], keep) }

    /// The Euclidean norm along a dimension.
    public func norm(_ dimension: Int, keep: Bool = false) -> Tensor { ATen.vectorNorm(self, 2.0, [dimension], keep) }

    /// The Euclidean norm of all elements.
    public func norm() -> Tensor { ATen.vectorNorm(self) }

    /// Divided by the norm along a dimension, as `torch.nn.functional.normalize`: norms below `epsilon` count as `epsilon`.
    public func normalized(_ dimension: Int = -1, epsilon: Double = 1e-12) -> Tensor {
        self / norm(dimension, keep: true).clamped(epsilon)
    }

    public func all() -> Tensor { ATen.all(self) }
    public func any() -> Tensor { ATen.any(self) }
    public func cumulativeSum(_ dimension: Int) -> Tensor { ATen.cumsum(self, dimension) }

    /// How often each of 0 ..< count occurs in an int64 vector.
    public func counts(_ count: Int) -> Tensor { ATen.bincount(self, Tensor?.none, count) }
}
