/// Losses that pull predictions towards targets.
public enum RegressionLoss {
    /// ‖ p̄ − z̄ ‖² = 2 − 2·cos(p, z), averaged over rows (Grill et al. 2020, arXiv:2006.07733, eq. 2).
    /// - Parameters:
    ///   - prediction: [n, d]
    ///   - target: [n, d]; pass it without gradient where the paper stops it.
    /// - Returns: a scalar in 0 … 4.
    public static func normalizedSquaredDistance(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        2 - 2 * (prediction.normalized() * target.normalized()).sum(-1).mean()
    }
}
