public import Torch

/// How many directions a feature matrix really uses.
public enum EffectiveRank {
    /// RankMe (Garrido et al. 2023, arXiv:2210.02885, equation 1):
    ///
    ///     RankMe(Z) = exp(−Σ_k p_k log p_k),   p_k = σ_k(Z) / ‖σ(Z)‖₁ + ε,   ε = 10⁻⁷
    ///
    /// over the min(n, d) singular values of Z, which is not centred. 1 when all rows are multiples of one vector,
    /// about min(n, d) when all directions carry the same.
    /// - Parameter matrix: [n, d] finite.
    /// - Throws: `FeatureError` `.shape` or `.notFinite`.
    public static func rankMe(_ matrix: Tensor) throws(FeatureError) -> Double {
        try checkFeatures(matrix, "the features")
        return rankMe(singularValues: singularValues(matrix))
    }

    /// RankMe from singular values, in any order. 0 when all of them are 0.
    public static func rankMe(singularValues: [Double], epsilon: Double = 1e-7) -> Double {
        let sum = singularValues.reduce(0, +)
        guard sum > 0 else { return 0 }
        let terms = singularValues.map { value -> Double in
            let p = value / sum + epsilon
            return p * Entropy.log(p)
        }
        return Entropy.exp(-terms.reduce(0, +))
    }

    /// The min(n, d) singular values of a matrix [n, d], in falling order.
    ///
    /// They are square roots of the eigenvalues of XᵀX (or XXᵀ, the smaller), gathered in float64 block by block: values
    /// below about 10⁻⁸ of the largest are rounding, which is ten times less than RankMe's ε.
    public static func singularValues(_ matrix: Tensor) -> [Double] {
        withoutGradients {
            let (rows, width) = (matrix.size(0), matrix.size(1))
            if rows < width {
                let values = matrix.detached().widened
                return rootsOfEigenvalues(values.matmul(values.t))
            }
            var gram: Tensor?
            for range in matrix.rowBlocks() {
                let block = matrix[range].detached().widened
                let part = block.t.matmul(block)
                gram = gram.map { $0 + part } ?? part
            }
            return rootsOfEigenvalues(gram!)
        }
    }

    static func rootsOfEigenvalues(_ gram: Tensor) -> [Double] {
        gram.to(.cpu).symmetricEigen().values.clamped(0).sqrt().flipped(0).doubles
    }
}
