extension ContrastiveLoss {
    /// InfoNCE with one positive per row and negatives in common (He et al. 2020, arXiv:1911.05722, eq. 1):
    ///
    ///     L = mean of −log( exp(q·k₊/τ) / ( exp(q·k₊/τ) + Σ_queue exp(q·k/τ) ) ),   all vectors at length 1
    ///
    /// - Parameters:
    ///   - query: [n, d], unnormalised.
    ///   - key: [n, d], unnormalised; pass it without gradient where the paper stops it.
    ///   - negatives: [K, d] unit vectors.
    public static func infoNCE(_ query: Tensor, _ key: Tensor, negatives: Tensor, temperature: Double) -> Tensor {
        let (q, k) = (query.normalized(), key.normalized())
        let scores = Tensor.concatenated([(q * k).sum(1, keep: true), q.matmul(negatives.t)], dimension: 1) / temperature
        return scores.crossEntropy(.zeros([q.size(0)], .int64, on: q.device))
    }

    /// InfoNCE between two batches: row i of `key` is the positive of row i of `query`, its other rows the negatives.
    public static func infoNCE(_ query: Tensor, _ key: Tensor, temperature: Double) -> Tensor {
        let scores = query.normalized().matmul(key.normalized().t) / temperature
        return scores.crossEntropy(.arange(query.size(0), on: query.device))
    }
}
