/// Contrastive losses over a batch of paired embeddings.
public enum ContrastiveLoss {
    /// NT-Xent, the normalised temperature-scaled cross-entropy (Chen et al. 2020, arXiv:2002.05709, eq. 1, algorithm 1):
    ///
    ///     ℓ(i, j) = −log( exp(sim(zᵢ, zⱼ)/τ) / Σ_{k ≠ i} exp(sim(zᵢ, z_k)/τ) ),    sim = cosine
    ///     L = mean over all 2N samples, each with the other view of its image as the positive
    ///
    /// - Parameters:
    ///   - z: [2N, d], unnormalised; rows i and N + i are the two views of image i.
    ///   - temperature: τ.
    /// - Returns: a scalar.
    public static func ntXent(_ z: Tensor, temperature: Double) -> Tensor {
        precondition(z.rank == 2 && z.size(0).isMultiple(of: 2), "NT-Xent needs an even number of rows, not \(z.shape)")
        let n = z.size(0) / 2
        let unit = z.normalized()
        // A sample is not its own negative: −∞ leaves the sum.
        let similarity = (unit.matmul(unit.t) / temperature).withDiagonal(-.infinity)
        let positive = Tensor.arange(2 * n, on: z.device).rolled(-n, dimension: 0)
        return similarity.crossEntropy(positive)
    }
}
