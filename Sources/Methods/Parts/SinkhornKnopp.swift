public import Torch

/// Soft assignments that use all prototypes alike (Caron et al. 2020, arXiv:2006.09882, eq. 3–5, appendix A).
public enum SinkhornKnopp {
    /// Q* = Diag(u) exp(scores / ε) Diag(v): every prototype gets n/K of the samples, every sample a distribution.
    ///
    /// - Parameters:
    ///   - scores: [n, K], zᵀc.
    ///   - epsilon: ε, the softness.
    /// - Returns: [n, K], rows sum to 1; columns to n/K as far as the iterations go. Without gradient.
    public static func assignments(_ scores: Tensor, epsilon: Double, iterations: Int) -> Tensor {
        withoutGradients {
            let scaled = scores.detached().to(scores.dataType == .float64 ? .float64 : .float32) / epsilon
            // A common factor drops out; without the largest value exp cannot overflow.
            var q = (scaled - scaled.max()).exp()
            for _ in 0..<iterations {
                // A prototype that nobody is near would be divided by 0.
                q = q / q.sum(0, keep: true).clamped(1e-30)
                q = q / q.sum(1, keep: true).clamped(1e-30)
            }
            return q / q.sum(1, keep: true).clamped(1e-30)
        }
    }
}
