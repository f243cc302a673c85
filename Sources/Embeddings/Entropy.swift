internal import Foundation
public import Torch

/// Entropies of distributions, in nats: how targets and prototypes are used.
public enum Entropy {
    /// −Σ_k p_k log p_k of each row.
    /// - Parameter probabilities: [n, k], rows that sum to 1; zeros count as 0 · log 0 = 0.
    /// - Returns: [n] float32.
    public static func ofRows(_ probabilities: Tensor) -> Tensor {
        let p = probabilities.detached().to(.float32)
        // The least that is no denormal number: these are flushed to zero.
        return -(p * p.clamped(1.2e-38).log()).sum(-1)
    }

    /// −Σ_k p_k log p_k of one distribution.
    public static func of(_ probabilities: [Double]) -> Double {
        -probabilities.reduce(0) { $0 + ($1 > 0 ? $1 * Foundation.log($1) : 0) }
    }

    /// Of the shares that counts make: how evenly clusters or prototypes are used. 0 when there are none.
    public static func of(counts: [Int]) -> Double {
        let total = Double(counts.reduce(0, +))
        return total > 0 ? of(counts.map { Double($0) / total }) : 0
    }

    static func log(_ value: Double) -> Double { Foundation.log(value) }
    static func exp(_ value: Double) -> Double { Foundation.exp(value) }
}

/// How target distributions use their k outcomes (DINO, Caron et al. 2021, section 5.3: collapse shows as one outcome
/// for all images, or as the uniform distribution for every image).
public struct TargetUse: Sendable, Equatable, Codable {
    /// k.
    public var outcomes: Int
    /// Mean over images of the entropy of an image's distribution, in nats: 0 one-hot, log k uniform.
    public var meanEntropy: Double
    /// Entropy of the mean distribution, in nats: 0 one outcome for all, log k even use.
    public var entropyOfMean: Double

    public init(outcomes: Int, meanEntropy: Double, entropyOfMean: Double) {
        self.outcomes = outcomes
        self.meanEntropy = meanEntropy
        self.entropyOfMean = entropyOfMean
    }

    /// - Parameter probabilities: [n, k] rows that sum to 1, finite.
    /// - Throws: `FeatureError` `.shape` or `.notFinite`.
    public init(_ probabilities: Tensor) throws(FeatureError) {
        try checkFeatures(probabilities, "the target probabilities")
        outcomes = probabilities.size(1)
        (meanEntropy, entropyOfMean) = withoutGradients {
            var sum = 0.0
            var mean: Tensor?
            for range in probabilities.rowBlocks() {
                let block = probabilities[range].detached().widened
                sum += Entropy.ofRows(block).sum().item
                let part = block.sum(0)
                mean = mean.map { $0 + part } ?? part
            }
            let rows = Double(probabilities.size(0))
            return (sum / rows, Entropy.of((mean! / rows).doubles))
        }
    }
}
