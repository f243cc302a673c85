public import Backbones
public import Torch
public import Views

/// SupCon: Supervised Contrastive Learning (Khosla et al. 2020, arXiv:2004.11362).
///
///     L_out = mean over anchors of −1/|P(i)| Σ_{p ∈ P(i)} log( exp(zᵢ·z_p/τ) / Σ_{a ≠ i} exp(zᵢ·z_a/τ) )    (eq. 2)
///     L_in  = mean over anchors of −log( 1/|P(i)| Σ_{p ∈ P(i)} exp(zᵢ·z_p/τ) / Σ_{a ≠ i} exp(zᵢ·z_a/τ) )    (eq. 3)
///
/// P(i) are all other views in the batch with the anchor's label. A sample without a label has its own views alone, as in
/// SimCLR. The means are over anchors, as in the authors' code (the equations sum).
public final class SupCon: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Loss: String, Codable, Sendable, CaseIterable {
            case out
            case `in`
        }

        public var loss = Loss.out
        public var hiddenWidth = 2048
        public var outputWidth = 128
        /// τ
        public var temperature = 0.1
        public var jitterStrength = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "supcon", title: "SupCon", family: .contrastive, paper: "Khosla et al. 2020, arXiv:2004.11362",
        summary: "all views of all images of a class attract each other", needsLabels: true, needs: "large batches", mostViews: 16)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: settings.jitterStrength)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth], batchNorm: false))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = online(.concatenated(batch.views))
        return ["sup_con": Self.contrast(z, batch.labels, temperature: settings.temperature, loss: settings.loss)]
    }

    /// - Parameters:
    ///   - z: [views · n, d], unnormalised, view after view.
    ///   - labels: [n] int64, −1 where there is none.
    static func contrast(_ z: Tensor, _ labels: Tensor, temperature: Double, loss: Settings.Loss) -> Tensor {
        let n = labels.count
        // Unlabelled samples are classes of their own.
        let classes = labels.where(labels.atLeast(0), otherwise: Tensor((1...n).map { -$0 }).to(labels.device))
        let all = Tensor.concatenated(Array(repeating: classes, count: z.size(0) / n))
        let positive = all.unsqueezed(1).equal(all.unsqueezed(0)).and(Tensor.eye(z.size(0), .bool, on: z.device).not)
        let count = positive.to(z.dataType).sum(1)
        let unit = z.normalized()
        let scores = (unit.matmul(unit.t) / temperature).withDiagonal(-.infinity)
        let logarithms = scores - scores.logSumExp(1, keep: true)
        switch loss {
        case .out: return -(logarithms.filled(0, where: positive.not).sum(1) / count).mean()
        case .in: return (count.log() - logarithms.filled(-.infinity, where: positive.not).logSumExp(1)).mean()
        }
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
