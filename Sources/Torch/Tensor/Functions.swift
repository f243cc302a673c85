internal import CTorch

extension Tensor {
    /// Matrix product, batched over leading dimensions.
    public func matmul(_ other: Tensor) -> Tensor { ATen.matmul(self, other) }

    /// The product of two matrices, written over `result`, which has its shape; without a graph.
    public func matmul(_ other: Tensor, into result: Tensor) { ATen.mmOut(self, other, result) }

    public func relu() -> Tensor { ATen.relu(self) }
    /// Over self's memory: saves an activation where nothing else needs self.
    public func reluInPlace() -> Tensor { ATen.reluInPlace(self) }
    public func gelu() -> Tensor { ATen.gelu(self) }
    public func sigmoid() -> Tensor { ATen.sigmoid(self) }
    public func silu() -> Tensor { ATen.silu(self) }
    public func softplus() -> Tensor { ATen.softplus(self) }
    public func leakyRelu(_ slope: Double = 0.01) -> Tensor { ATen.leakyRelu(self, slope) }
    public func softmax(_ dimension: Int = -1) -> Tensor { ATen.softmax(self, dimension) }
    public func logSoftmax(_ dimension: Int = -1) -> Tensor { ATen.logSoftmax(self, dimension) }

    /// - Parameters:
    ///   - weight: [out, in]
    ///   - bias: [out]
    public func linear(_ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
        var result: ct_tensor?
        check("linear", [self, weight, bias].compactMap { $0 }) { ct_linear(handle, weight.handle, bias?.handle, &result) }
        return Tensor(result!)
    }

    /// - Parameters:
    ///   - self: [n, in, h, w]
    ///   - weight: [out, in / groups, kh, kw]
    public func conv2d(
        _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
    ) -> Tensor {
        ATen.conv2d(self, weight, bias, [stride, stride], [padding, padding], [dilation, dilation], groups)
    }

    public func maxPool2d(_ kernel: Int, stride: Int, padding: Int = 0) -> Tensor {
        ATen.maxPool2d(self, [kernel, kernel], [stride, stride], [padding, padding])
    }

    /// - Parameter coversEdges: what is left at the right and lower edge gets a smaller window.
    public func averagePool2d(_ kernel: Int, stride: Int, padding: Int = 0, coversEdges: Bool = false) -> Tensor {
        ATen.avgPool2d(self, [kernel, kernel], [stride, stride], [padding, padding], coversEdges, !coversEdges)
    }

    /// To side × side, whatever the size.
    public func adaptiveAveragePool2d(_ side: Int) -> Tensor { ATen.adaptiveAvgPool2d(self, [side, side]) }

    /// [n, c, h, w] to [n, c]: the mean over positions.
    public func globalAveragePool() -> Tensor { ATen.mean(self, [2, 3]) }

    public func dropout(_ probability: Double, training: Bool) -> Tensor { ATen.dropout(self, probability, training) }

    /// −log softmax(self)[target], averaged over rows.
    /// - Parameters:
    ///   - self: [n, classes] logits.
    ///   - target: [n] int64 classes, or [n, classes] probabilities.
    ///   - labelSmoothing: ε of Szegedy et al. 2016.
    ///   - ignoring: a class index whose rows do not count.
    public func crossEntropy(_ target: Tensor, labelSmoothing: Double = 0, ignoring: Int = -100) -> Tensor {
        ATen.crossEntropy(self, target, Tensor?.none, 1, ignoring, labelSmoothing)
    }

    /// The same, summed over rows: 0 when no row counts, where the mean is not a number.
    public func summedCrossEntropy(_ target: Tensor, labelSmoothing: Double = 0, ignoring: Int = -100) -> Tensor {
        ATen.crossEntropy(self, target, Tensor?.none, 2, ignoring, labelSmoothing)
    }

    /// [n, c, h, w] to another size, bilinear, without aligned corners.
    public func resizedBilinear(height: Int, width: Int) -> Tensor { ATen.interpolateBilinear(self, [height, width], false) }

    /// [n, c, h, w] to twice the size: every value four times.
    public func doubled() -> Tensor { ATen.interpolateNearest(self, [2 * size(2), 2 * size(3)]) }

    /// [n, c, h, w] to another size, bicubic with antialiasing, without aligned corners: Pillow's filter.
    public func resizedBicubic(height: Int, width: Int) -> Tensor { ATen.interpolateBicubic(self, [height, width], false) }

    /// Mean 0 and variance 1 along the last dimension: layer normalisation without weights.
    public func standardized(epsilon: Double = 1e-5) -> Tensor {
        ATen.layerNorm(self, [size(-1)], Tensor?.none, Tensor?.none, epsilon)
    }

    /// Huber's loss over β, element by element: d²/2β where d = |self − target| is below β, d − β/2 elsewhere.
    public func smoothL1(_ target: Tensor, beta: Double) -> Tensor { ATen.smoothL1(self, target, 0, beta) }

    /// [n, c, h, w] with zeros around it.
    public func padded(_ border: Int) -> Tensor { padded([border, border, border, border]) }

    /// softmax(q·kᵀ/√d)·v (Vaswani et al. 2017, eq. 1) without keeping the matrix of all pairs where libtorch can do without.
    /// - Parameters: [n, heads, t, d] each.
    public static func attention(_ queries: Tensor, _ keys: Tensor, _ values: Tensor) -> Tensor {
        ATen.attention(queries, keys, values)
    }

    /// Singular values in falling order, of a matrix.
    public func singularValues() -> Tensor { ATen.svdvals(self) }

    /// Eigenvalues in rising order and eigenvectors (columns) of a symmetric matrix.
    public func symmetricEigen() -> (values: Tensor, vectors: Tensor) {
        let found = ATen.eigh.tuple(self)
        return (found[0], found[1])
    }

    /// The lower Cholesky factor of a positive-definite matrix. Of any other it is NaN, which a loss then is as well: an error would end
    /// the process, and with it what a run does about a loss that is no number.
    public func cholesky() -> Tensor {
        let found = ATen.choleskyEx.tuple(self)
        return found[0].filled(.nan, where: found[1].greater(0))
    }

    /// X with self · X = other, for a triangular self.
    public func solveTriangular(_ other: Tensor, upper: Bool) -> Tensor { ATen.solveTriangular(self, other, upper) }
}
