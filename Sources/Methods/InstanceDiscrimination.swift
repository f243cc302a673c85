public import Backbones
internal import Foundation
public import Torch
public import Views

/// Instance discrimination (Wu et al. 2018, arXiv:1805.01978): every image is a class, whose weight is its own past feature.
///
///     P(i|v) = exp(vᵀfᵢ/τ)/Z,   h(i, v) = P(i|v) / (P(i|v) + m·Pₙ),   Pₙ = 1/n                          (eq. 4, 6)
///     L = mean of −log h(i, v) − Σ over m noise samples of log(1 − h(j, v)) + λ‖v − fᵢ‖²                  (eq. 7, 10)
///
/// or, with m = 0, the exact softmax over all images, as the paper has it for CIFAR-10:
///
///     L = mean of −log( exp(vᵀfᵢ/τ) / Σⱼ exp(vᵀfⱼ/τ) ) + λ‖v − fᵢ‖²                                       (eq. 2)
///
/// f are the vectors of a memory bank. Z is n times the mean of exp(vᵀf/τ) over the noise of the first batch, and stays (eq. 8).
public final class InstanceDiscrimination: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var outputWidth = 128
        /// m; 0 for the exact softmax.
        public var negatives = 4096
        /// τ
        public var temperature = 0.07
        /// Of the old vector when the bank is updated.
        public var bankMomentum = 0.5
        /// λ; the authors' code has 0, the paper tries up to 50.
        public var proximalWeight = 0.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.notNegative("negatives", negatives)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("bankMomentum", bankMomentum)
            try SettingsCheck.notNegative("proximalWeight", proximalWeight)
        }
    }

    public static let card = MethodCard(
        name: "instance_discrimination", title: "Instance discrimination", family: .contrastive,
        paper: "Wu et al. 2018, arXiv:1805.01978", summary: "tells an image's past feature from those of other images, by a memory bank",
        needs: "a vector for every image",
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.instanceDiscrimination(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let bank: MemoryBank
    /// Z, 0 before the first batch.
    let normalizer: Buffer
    private let settings: Settings
    private var newest: (features: Tensor, normalizer: Tensor)?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.outputWidth]))
        bank = MemoryBank(samples: context.sampleCount, width: settings.outputWidth)
        normalizer = Buffer(.zeros([]))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let v = online(batch.views[0]).precise.normalized()
        let own = bank(batch.indices)
        func withProximal(_ losses: Losses) -> Losses {
            var losses = losses
            if settings.proximalWeight > 0 { losses.parts.append(("proximal", (v - own).squared().sum(1).mean() * settings.proximalWeight)) }
            return losses
        }
        guard settings.negatives > 0 else {
            newest = (v.detached(), normalizer.value)
            return withProximal(["softmax": Self.softmax(v, bank.entries.value, batch.indices, temperature: settings.temperature)])
        }
        let samples = bank.entries.value.size(0)
        let noise = (Tensor.rand([batch.count, settings.negatives], .float64) * Double(samples)).to(.int64).to(v.device)
        let scores = bank(noise).matmul(v.unsqueezed(-1)).squeezed(-1) / settings.temperature
        let z = withoutGradients {
            let estimate = scores.detached().exp().mean() * Double(samples)
            return normalizer.value.where(normalizer.value.greater(0), otherwise: estimate)
        }
        newest = (v.detached(), z)
        let positive = (v * own).sum(1) / settings.temperature
        return withProximal(["nce": Self.nce(positive, scores, normalizer: z, samples: samples)])
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

    public func afterStep(_ batch: Batch, _ step: Step) {
        guard let newest else { return }
        bank.update(batch.indices, towards: newest.features, momentum: settings.bankMomentum)
        normalizer.set(newest.normalizer)
        self.newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
