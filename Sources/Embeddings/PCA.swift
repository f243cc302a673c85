public import Torch

/// Principal components (Pearson 1901): the eigenvectors of the covariance matrix, from a float64 pass over the rows.
public struct PCA {
    /// [d] float64.
    public let mean: Tensor
    /// [count, d] float64 unit rows, in falling order of variance; the entry of largest magnitude is positive.
    public let components: Tensor
    /// Variance along each component (n − 1 in the denominator), in falling order.
    public let variances: [Double]
    /// Sum of the variances of all d directions.
    public let totalVariance: Double

    /// The share of the total variance along each component; 0 where there is none at all.
    public var varianceRatios: [Double] { variances.map { totalVariance > 0 ? $0 / totalVariance : 0 } }

    /// - Parameters:
    ///   - moments: with the full scatter, of at least two rows.
    ///   - count: 1 ... d components; nil for all d.
    /// - Throws: `FeatureError` `.tooFewRows` or `.setting`.
    public init(_ moments: Moments, count: Int? = nil) throws(FeatureError) {
        let width = moments.mean.size(0)
        guard moments.count >= 2 else {
            throw FeatureError(.tooFewRows, "principal components need at least 2 rows, not \(moments.count)")
        }
        let kept = count ?? width
        guard (1...width).contains(kept) else {
            throw FeatureError(.setting, "\(kept) principal components of \(width) dimensions: ask for 1 to \(width)")
        }
        // Eigenvalues rise; the covariance is decomposed on the CPU, where LAPACK is exact enough on every machine.
        let (values, vectors) = moments.covariance().to(.cpu).symmetricEigen()
        let rows = vectors.t.flipped(0)[0..<kept]
        let largest = rows.abs().argmax(1).unsqueezed(1)
        let sign = rows.gathered(1, largest).less(0).to(.float64) * -2 + 1
        components = (rows * sign).contiguous().to(moments.mean.device)
        mean = moments.mean
        let all = values.flipped(0).clamped(0)
        variances = all[0..<kept].doubles
        totalVariance = all.sum().item
    }

    /// Fits all rows of a matrix [n, d].
    /// - Throws: `FeatureError` `.shape`, `.notFinite`, `.tooFewRows` or `.setting`.
    public static func fit(_ matrix: Tensor, count: Int? = nil) throws(FeatureError) -> PCA {
        try checkFeatures(matrix, "the features")
        return try PCA(Moments(of: matrix), count: count)
    }

    /// The rows' coordinates along the components: (x − m) Vᵀ.
    /// - Parameters:
    ///   - matrix: [n, d].
    ///   - whitened: divide each coordinate by its standard deviation over the fitted rows. Directions that have next to
    ///     none (variance ≤ 10⁻¹² of the largest) carry rounding only and become 0.
    /// - Returns: [n, count] float32 on the matrix's device.
    public func transform(_ matrix: Tensor, whitened: Bool = false) -> Tensor {
        precondition(
            matrix.rank == 2 && matrix.size(1) == mean.size(0), "\(matrix.summary) for components of \(mean.size(0)) dimensions")
        let floor = (variances.first ?? 0) * 1e-12
        let scales = variances.map { whitened ? ($0 > floor ? 1 / $0.squareRoot() : 0) : 1 }
        return withoutGradients {
            let scale = Tensor(scales).to(mean.device)
            let blocks = matrix.rowBlocks().map { range in
                let rows = matrix[range].detached().widened.to(mean.device)
                return ((rows - mean).matmul(components.t) * scale).to(.float32).to(matrix.device)
            }
            return blocks.count == 1 ? blocks[0] : .concatenated(blocks)
        }
    }

    /// Coordinates back in the space of the features: y V + m, as [n, d] float32.
    /// - Parameter coordinates: [n, count], not whitened.
    public func reconstruct(_ coordinates: Tensor) -> Tensor {
        (coordinates.widened.to(mean.device).matmul(components) + mean).to(.float32).to(coordinates.device)
    }

    /// A plane map of the rows of [n, d]: their first two coordinates, [n, 2] (the second is 0 when d is 1).
    public static func map(_ matrix: Tensor) throws(FeatureError) -> Tensor {
        try checkFeatures(matrix, "the features")
        let pca = try fit(matrix, count: Swift.min(2, matrix.size(1)))
        let coordinates = pca.transform(matrix)
        return matrix.size(1) > 1 ? coordinates : .concatenated([coordinates, coordinates.zerosLike()], dimension: 1)
    }
}
