public import Backbones
public import Torch
public import Views

/// DCL and DCLW: Decoupled Contrastive Learning (Yeh et al. 2022, arXiv:2110.06848).
///
///     ℓ(i) = −w·⟨zᵢ, zᵢ′⟩/τ + log Σ_{k ≠ i, i′} exp(⟨zᵢ, z_k⟩/τ)           (eq. 6): the positive is left out of the sum
///     w = 1, or of DCLW: 2 − exp(⟨z, z′⟩/σ) / mean over the batch of it    (eq. 7), without gradient as lightly has it
///
/// Without the positive in the denominator, small batches lose less.
public final class DCL: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of the projector's hidden layer; 0 takes the backbone's width.
        public var hiddenWidth = 0
        public var outputWidth = 128
        /// τ
        public var temperature = 0.1
        /// DCLW: harder positives count more.
        public var weighted = false
        /// σ
        public var weightTemperature = 0.5
        public var jitterStrength = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.positive("weightTemperature", weightTemperature)
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "dcl", title: "DCL", family: .contrastive, paper: "Yeh et al. 2022, arXiv:2110.06848",
        summary: "SimCLR without the positive in the denominator, for small batches")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: settings.jitterStrength)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let hidden = settings.hiddenWidth > 0 ? settings.hiddenWidth : encoder.outputWidth
        online = ProjectedEncoder(
            encoder, MLP([encoder.outputWidth, hidden, settings.outputWidth], outputBatchNorm: true))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let weightTemperature = settings.weighted ? settings.weightTemperature : nil
        return [
            "decoupled": Self.decoupled(
                online(.concatenated(batch.views)), temperature: settings.temperature, weightTemperature: weightTemperature)
        ]
    }

    /// - Parameters:
    ///   - z: [2N, d], unnormalised; rows i and N + i are the two views of image i.
    ///   - weightTemperature: σ; nil for w = 1.
    static func decoupled(_ z: Tensor, temperature: Double, weightTemperature: Double?) -> Tensor {
        let n = z.size(0) / 2
        let unit = z.normalized()
        let similarity = unit.matmul(unit.t)
        let positive = (unit * unit.rolled(n, dimension: 0)).sum(1)
        let own = Tensor.eye(n, .bool, on: z.device)
        let mask = Tensor.concatenated([.concatenated([own, own]), .concatenated([own, own])], dimension: 1)
        let negatives = (similarity / temperature).filled(-.infinity, where: mask).logSumExp(1)
        var attraction = positive / temperature
        if let sigma = weightTemperature { attraction = attraction * (2 - (positive.detached() / sigma).softmax(0) * Double(2 * n)) }
        return (negatives - attraction).mean()
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
