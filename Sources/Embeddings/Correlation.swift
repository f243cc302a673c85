internal import Torch

/// How redundant the dimensions are (what Barlow Twins, Zbontar et al. 2021, and VICReg, Bardes et al. 2022, drive to 0).
public struct Correlation: Sendable, Equatable, Codable {
    /// Mean of |corr(i, j)| over i ≠ j; 0 with fewer than two dimensions that vary.
    public var meanAbsolute: Double
    /// Largest |corr(i, j)| over i ≠ j.
    public var largestAbsolute: Double
    /// Dimensions without variance, for which correlation is undefined; left out of the two others.
    public var constantDimensions: Int

    public init(meanAbsolute: Double, largestAbsolute: Double, constantDimensions: Int) {
        self.meanAbsolute = meanAbsolute
        self.largestAbsolute = largestAbsolute
        self.constantDimensions = constantDimensions
    }

    /// - Parameter moments: with the full scatter.
    public init(_ moments: Moments) {
        let variances = moments.variances()
        // A float32 constant's variance is rounding: below (10⁻⁶ of its magnitude)².
        let floor = moments.mean.squared() * 1e-12
        let varies: [Bool] = variances.greater(floor).values()
        constantDimensions = varies.count { !$0 }
        let kept = varies.indices.filter { varies[$0] }
        guard kept.count >= 2 else {
            (meanAbsolute, largestAbsolute) = (0, 0)
            return
        }
        let index = Tensor(kept).to(moments.mean.device)
        let scale = variances.rows(index).rsqrt()
        let covariance = moments.covariance().rows(index).rows(index, dimension: 1)
        let off = (covariance * scale * scale.unsqueezed(1)).abs().withDiagonal(0)
        meanAbsolute = off.sum().item / Double(kept.count * (kept.count - 1))
        largestAbsolute = Swift.min(1, off.max().item)
    }
}
