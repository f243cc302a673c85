internal import Foundation

extension ContrastiveLoss {
    /// Noise-contrastive estimation (Gutmann and Hyvärinen 2010; Mnih and Teh 2012): data are told from k samples of noise q,
    /// and the scores become log-probabilities.
    ///
    ///     L = mean of −log σ(s − log k·q(w)) − Σ over k noise samples of log σ(log k·q(w′) − s′)
    ///
    /// - Parameters:
    ///   - data: [n], s, the model's log-probabilities of what was seen.
    ///   - noise: [n, k], s′, of noise samples.
    ///   - dataLogNoise: log q(w) of what was seen; broadcasts to [n].
    ///   - noiseLogNoise: log q(w′); broadcasts to [n, k].
    public static func noiseContrastive(_ data: Tensor, _ noise: Tensor, dataLogNoise: Tensor, noiseLogNoise: Tensor) -> Tensor {
        let count = Foundation.log(Double(noise.size(1)))
        return negativeSampling(data - (dataLogNoise + count), noise - (noiseLogNoise + count))
    }

    /// Negative sampling (Mikolov et al. 2013, arXiv:1310.4546, eq. 4): the same without the correction, so that only the order
    /// of scores means anything.
    ///
    ///     L = mean of −log σ(s) − Σ over k noise samples of log σ(−s′)
    ///
    /// - Parameters:
    ///   - data: [n] scores of what was seen.
    ///   - noise: [n, k] scores of noise samples.
    public static func negativeSampling(_ data: Tensor, _ noise: Tensor) -> Tensor {
        (-data).softplus().mean() + noise.softplus().sum(1).mean()
    }
}

/// What word2vec draws noise from: q(w) ∝ count(w)^power (Mikolov et al. 2013, arXiv:1310.4546, section 2.2).
public struct UnigramNoise {
    /// [words] float64, log q.
    public let logProbabilities: Tensor
    private let probabilities: Tensor

    /// - Parameters:
    ///   - counts: how often each word occurs; one that never does is never drawn.
    ///   - power: 0.75 in the paper; 1 are the frequencies themselves, 0 all words alike.
    public init(counts: [Int], power: Double = 0.75) {
        precondition(counts.contains { $0 > 0 }, "noise needs a word that occurs")
        let weights = counts.map { $0 > 0 ? pow(Double($0), power) : 0 }
        let sum = weights.reduce(0, +)
        probabilities = Tensor(weights.map { $0 / sum })
        logProbabilities = probabilities.log()
    }

    /// Words, [n, k] int64, from libtorch's generator.
    public func sample(_ n: Int, _ k: Int) -> Tensor { ATen.multinomial(probabilities, n * k, true).reshaped(n, k) }
}

/// word2vec's subsampling of frequent words (Mikolov et al. 2013, arXiv:1310.4546, eq. 5): each occurrence is kept with
/// probability √(t/f(w)).
public enum Subsampling {
    /// - Parameters:
    ///   - frequency: f, the word's share of the text.
    ///   - threshold: t; 1e-5 in the paper, more for small texts.
    public static func keepProbability(frequency: Double, threshold: Double) -> Double {
        frequency > threshold ? (threshold / frequency).squareRoot() : 1
    }
}
