internal import Foundation
public import Torch

/// t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008), exactly: time and memory grow with the square of
/// the rows.
///
///     p_{j|i} ∝ exp(−β_i ‖x_i − x_j‖²), its entropy log(perplexity);   p_ij = (p_{j|i} + p_{i|j}) / 2n
///     q_ij = w_ij / Σ w,   w_ij = 1 / (1 + ‖y_i − y_j‖²);   the map y minimises KL(P ‖ Q)
///
/// Descent with momentum and gains (Jacobs 1988), P exaggerated at first, from principal components: as scikit-learn.
public struct TSNE: Sendable, Equatable {
    /// How many neighbours count, about; at most a third of the other rows.
    public var perplexity = 30.0
    public var iterations = 500
    /// The first of them, in which P is multiplied by `exaggeration`.
    public var exaggeratedIterations = 250
    public var exaggeration = 12.0
    /// nil for n / (4 · exaggeration), at least 50 (Belkina et al. 2019).
    public var learningRate: Double?
    public var arithmetic = DataType.float32
    public static let mostRows = 4096

    public init() {}

    /// - Parameters:
    ///   - matrix: [n, d] finite, 4 ≤ n ≤ `mostRows`.
    ///   - start: [n, 2]; nil for the principal components, made small.
    /// - Returns: [n, 2] on the CPU, centred.
    /// - Throws: `FeatureError` `.shape`, `.notFinite`, `.tooFewRows` or `.setting`.
    public func map(_ matrix: Tensor, from start: Tensor? = nil) throws(FeatureError) -> Tensor {
        guard perplexity >= 1, iterations >= 1, exaggeratedIterations >= 0, exaggeration >= 1, learningRate ?? 1 > 0 else {
            throw FeatureError(.setting, "t-SNE needs a perplexity, iterations and an exaggeration of at least 1")
        }
        try checkFeatures(matrix, "the features")
        let count = matrix.size(0)
        guard (4...Self.mostRows).contains(count) else {
            throw FeatureError(.tooFewRows, "t-SNE maps 4 to \(Self.mostRows) rows, not \(count)")
        }
        let initial: Tensor
        if let start { initial = start } else { initial = small(try PCA.map(matrix)) }
        return withoutGradients {
            let distances = Self.squaredDistances(matrix.detached().to(.cpu).to(.float64))
            let affinities = Self.affinities(distances, perplexity: min(perplexity, Double(count - 1) / 3)).to(arithmetic)
            var places = initial.detached().to(.cpu).to(arithmetic)
            let exaggerated = affinities * exaggeration
            let rate = learningRate ?? max(Double(count) / exaggeration / 4, 50)
            var (update, gains) = (places.zerosLike(), places.onesLike())
            for step in 0..<iterations {
                if step == exaggeratedIterations { (update, gains) = (places.zerosLike(), places.onesLike()) }
                let isEarly = step < exaggeratedIterations
                let gradient = Self.gradient(at: places, isEarly ? exaggerated : affinities)
                // Larger steps where the last one went downhill still.
                gains = (gains + 0.2).where((update * gradient).less(0), otherwise: gains * 0.8).clamped(0.01)
                update = update * (isEarly ? 0.5 : 0.8) - gains * gradient * rate
                places = places + update
            }
            return places - places.mean(0, keep: true)
        }
    }

    /// The first component with a standard deviation of 10⁻⁴.
    private func small(_ components: Tensor) -> Tensor {
        let centred = components.to(.float64)
        let deviation = centred.selected(1, 0).contiguous().standardDeviation(0, correction: 0).item
        return centred * (1e-4 / max(deviation, 1e-12))
    }

    /// [n, d] to [n, n], not negative.
    static func squaredDistances(_ x: Tensor) -> Tensor {
        // Around the mean, whose distance from the origin would otherwise be all of the sums.
        let x = x - x.mean(0, keep: true)
        let norms = x.squared().sum(1, keep: true)
        return (norms + norms.t - x.matmul(x.t) * 2).clamped(0)
    }

    /// p_ij, [n, n] float64, summing to 1.
    /// - Parameter distances: [n, n] float64, squared.
    static func affinities(_ distances: Tensor, perplexity: Double) -> Tensor {
        let count = distances.size(0)
        let others = 1 - Tensor.eye(count, .float64)
        // From the nearest other row on, so that no row of weights is all zeros.
        let nearest = (distances + Tensor.eye(count, .float64) * 1e300).min(1, keep: true)
        let beyond = (distances - nearest) * others
        let mean = beyond.mean().item
        // Of equal rows any scale.
        let scale = mean > 0 ? mean : 1
        func weights(_ logarithm: Tensor) -> Tensor { (beyond * (logarithm.exp() / -scale)).exp() * others }
        var (low, high) = (Tensor.full([count, 1], -60, .float64), Tensor.full([count, 1], 60, .float64))
        for _ in 0..<60 {
            let middle = (low + high) / 2
            let found = weights(middle)
            let sum = found.sum(1, keep: true)
            let entropy = sum.log() + (found * beyond).sum(1, keep: true) / sum * (middle.exp() / scale)
            let isFlat = entropy.greater(Foundation.log(perplexity))
            (low, high) = (middle.where(isFlat, otherwise: low), high.where(isFlat, otherwise: middle))
        }
        let found = weights((low + high) / 2)
        let conditional = found / found.sum(1, keep: true)
        return (conditional + conditional.t) / Double(2 * count)
    }

    /// 4 Σ_j (p_ij − q_ij) w_ij (y_i − y_j), [n, 2].
    static func gradient(at places: Tensor, _ affinities: Tensor) -> Tensor {
        let weights = weights(places)
        let pull = (affinities - weights / weights.sum()) * weights
        return (places * pull.sum(1, keep: true) - pull.matmul(places)) * 4
    }

    /// KL(P ‖ Q).
    static func divergence(at places: Tensor, _ affinities: Tensor) -> Double {
        let (weights, affinities) = (weights(places.to(.float64)), affinities.to(.float64))
        let tiny = 1e-300
        let quotient = affinities.clamped(tiny).log() - (weights / weights.sum()).clamped(tiny).log()
        return (affinities * quotient).sum().item
    }

    private static func weights(_ places: Tensor) -> Tensor {
        (1 / (squaredDistances(places) + 1)).withDiagonal(0)
    }
}
