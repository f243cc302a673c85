public import Torch

/// LiDAR (Thilak et al. 2024, arXiv:2312.04000): the effective rank of linear discriminant analysis whose classes are images and
/// whose samples are their views.
///
///     Σ_b = E_x[(ē_x − ē)(ē_x − ē)ᵀ],   Σ_w = E_x E_v[(e_xv − ē_x)(e_xv − ē_x)ᵀ] + δ I
///     LiDAR = exp(−Σ_k p_k log p_k),   p = λ(Σ_w^(−½) Σ_b Σ_w^(−½)) / Σ λ + ε,   δ = 10⁻⁴, ε = 10⁻⁷
public enum LiDAR {
    /// - Parameters:
    ///   - views: of each view a matrix [n, d], rows of one image in the same place; at least two of at least two rows.
    ///   - delta: δ.
    /// - Throws: `FeatureError` `.shape`, `.width`, `.notFinite` or `.tooFewRows`.
    public static func measure(_ views: [Tensor], delta: Double = 1e-4) throws(FeatureError) -> Double {
        guard let first = views.first, views.count >= 2 else {
            throw FeatureError(.tooFewRows, "LiDAR needs at least 2 views of each image, not \(views.count)")
        }
        for view in views { try checkFeatures(view, "the views' features") }
        guard views.allSatisfy({ $0.shape == first.shape }) else {
            throw FeatureError(.width, "LiDAR needs as many rows and columns of every view")
        }
        let (count, width) = (first.size(0), first.size(1))
        guard count >= 2 else { throw FeatureError(.tooFewRows, "LiDAR needs at least 2 images, not \(count)") }
        return withoutGradients {
            let wide = views.map { $0.detached().widened.to(.cpu) }
            let means = wide.dropFirst().reduce(wide[0]) { $0 + $1 } / Double(views.count)
            let centred = means - means.mean(0)
            let between = centred.t.matmul(centred) / Double(count)
            var within = Tensor.eye(width, .float64) * delta
            for view in wide {
                let difference = view - means
                within = within + difference.t.matmul(difference) / Double(count * views.count)
            }
            let (values, vectors) = within.symmetricEigen()
            let root = (vectors * values.clamped(delta / 2).rsqrt()).matmul(vectors.t)
            let eigenvalues = root.matmul(between).matmul(root).symmetricEigen().values.clamped(0).doubles
            // The same entropy as RankMe's, of eigenvalues in place of singular values.
            return EffectiveRank.rankMe(singularValues: eigenvalues)
        }
    }
}
