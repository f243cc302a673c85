internal import Foundation
public import Torch

/// A memory bank and the task of telling in it the own image from all others (Wu et al. 2018, arXiv:1805.01978): by
/// noise-contrastive estimation with m random entries for noise, or, with m = 0, by the exact softmax over all.
///
///     P(i|v) = exp(vᵀfᵢ/τ)/Z,   h(i, v) = P(i|v) / (P(i|v) + m·Pₙ),   Pₙ = 1/n                          (eq. 4, 6)
///     L = mean of −log h(i, v) − Σ over m noise samples of log(1 − h(j, v))                               (eq. 7)
///     L = mean of −log( exp(vᵀfᵢ/τ) / Σⱼ exp(vᵀfⱼ/τ) )                                      for m = 0    (eq. 2)
///
/// Z is n times the mean of exp(vᵀf/τ) over the noise of the first batch, and stays (eq. 8).
public final class ContrastiveBank: Module {
    public let bank: MemoryBank
    /// Z, 0 before the first batch.
    public let normalizer: Buffer
    private let negatives: Int
    private let temperature: Double
    private var newest: Tensor?

    public init(samples: Int, width: Int, negatives: Int, temperature: Double) {
        bank = MemoryBank(samples: samples, width: width)
        normalizer = Buffer(.zeros([]))
        self.negatives = negatives
        self.temperature = temperature
    }

    /// L of unit vectors against the entries of their images.
    /// - Parameters:
    ///   - v: [n, d], of length 1.
    ///   - indices: [n], the sample that each row is.
    public func loss(_ v: Tensor, _ indices: Tensor) -> Tensor {
        guard negatives > 0 else { return Self.softmax(v, bank.entries.value, indices, temperature: temperature) }
        let samples = bank.entries.value.size(0)
        let noise = (Tensor.rand([v.size(0), negatives], .float64) * Double(samples)).to(.int64).to(v.device)
        let scores = bank(noise).matmul(v.unsqueezed(-1)).squeezed(-1) / temperature
        let z = withoutGradients {
            let estimate = scores.detached().exp().mean() * Double(samples)
            return normalizer.value.where(normalizer.value.greater(0), otherwise: estimate)
        }
        newest = z
        return Self.nce((v * bank(indices)).sum(1) / temperature, scores, normalizer: z, samples: samples)
    }

    /// After a step: the images' entries follow, and Z stays as the first loss found it.
    public func update(_ indices: Tensor, towards values: Tensor, momentum: Double) {
        bank.update(indices, towards: values, momentum: momentum)
        if let newest { normalizer.set(newest) }
        newest = nil
    }

    /// - Parameters:
    ///   - v: [n, d], of length 1.
    ///   - bank: [samples, d], of length 1.
    ///   - indices: [n], the sample that each row is.
    static func softmax(_ v: Tensor, _ bank: Tensor, _ indices: Tensor, temperature: Double) -> Tensor {
        (v.matmul(bank.t) / temperature).crossEntropy(indices)
    }

    /// - Parameters:
    ///   - positive: [n] scores vᵀfᵢ/τ.
    ///   - noise: [n, m] scores of noise samples.
    ///   - normalizer: Z.
    static func nce(_ positive: Tensor, _ noise: Tensor, normalizer: Tensor, samples: Int) -> Tensor {
        let (logZ, logNoise) = (normalizer.log(), Tensor(scalar: -Foundation.log(Double(samples))).to(noise.device))
        return ContrastiveLoss.noiseContrastive(positive - logZ, noise - logZ, dataLogNoise: logNoise, noiseLogNoise: logNoise)
    }
}
