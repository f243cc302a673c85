internal import Foundation
public import Torch

/// How fast the eigenvalues of the features' covariance fall (α-ReQ, Agrawal et al. 2022, NeurIPS):
///
///     λ_k ∝ k^(−α)
///
/// α by least squares of log λ_k on log k with weights 1/k (Stringer et al. 2019). Near 1 is best: larger, and few directions carry
/// all; smaller, and many carry noise.
public enum AlphaReQ {
    /// - Parameters:
    ///   - matrix: [n, d] finite.
    ///   - ranks: of the eigenvalues that the line is laid through, from 1; as far as there are any above rounding.
    /// - Returns: α; nil with fewer than five of them.
    /// - Throws: `FeatureError` `.shape`, `.notFinite` or `.tooFewRows`.
    public static func measure(_ matrix: Tensor, ranks: ClosedRange<Int> = 11...50) throws(FeatureError) -> Double? {
        try checkFeatures(matrix, "the features")
        guard matrix.size(0) >= 2 else { throw FeatureError(.tooFewRows, "a spectrum needs at least 2 rows, not \(matrix.size(0))") }
        return exponent(try PCA.fit(matrix).variances, ranks: ranks)
    }

    /// - Parameter eigenvalues: in falling order.
    public static func exponent(_ eigenvalues: [Double], ranks: ClosedRange<Int> = 11...50) -> Double? {
        let floor = (eigenvalues.first ?? 0) * 1e-12
        let kept = ranks.filter { $0 >= 1 && $0 <= eigenvalues.count && eigenvalues[$0 - 1] > floor }
        guard kept.count >= 5 else { return nil }
        var (w, wx, wy, wxx, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for k in kept {
            let (weight, x, y) = (1 / Double(k), log(Double(k)), log(eigenvalues[k - 1]))
            (w, wx, wy, wxx, wxy) = (w + weight, wx + weight * x, wy + weight * y, wxx + weight * x * x, wxy + weight * x * y)
        }
        return -(w * wxy - wx * wy) / (w * wxx - wx * wx)
    }
}
