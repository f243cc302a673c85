public import Backbones
public import Torch
public import Views

/// SimCLR: A Simple Framework for Contrastive Learning of Visual Representations (Chen et al. 2020, arXiv:2002.05709).
///
///     h = f(x),  z = g(h) = W₂ σ(W₁ h)
///     L = NT-Xent over the 2N views of a batch (eq. 1), τ = 0.5 for small images, 0.1 for ImageNet
///
/// Both views pass through the network as one batch, so that batch-norm statistics are those of all 2N views (the paper's
/// "global BN"). The projector has batch normalisation after both layers, as the authors' code has for the two-layer head;
/// the recipes of others leave it out by `headBatchNorm: false`.
public final class SimCLR: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of the projector's hidden layer; 0 takes the backbone's width, as the paper does.
        public var hiddenWidth = 0
        public var outputWidth = 128
        /// Linear layers of the projector: 2 in SimCLR, 3 in SimCLRv2.
        public var headLayers = 2
        public var headBatchNorm = true
        /// τ
        public var temperature = 0.5
        /// s of the colour jitter (appendix A): 1 for ImageNet, 0.5 for CIFAR-10.
        public var jitterStrength = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            guard temperature > 0 else { throw SettingsError("method.temperature must be above 0, not \(temperature)") }
            guard hiddenWidth >= 0, outputWidth > 0 else { throw SettingsError("method.hiddenWidth and outputWidth must be positive") }
            guard (1...8).contains(headLayers) else { throw SettingsError("method.headLayers must be 1 to 8, not \(headLayers)") }
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "simclr", title: "SimCLR", family: .contrastive, paper: "Chen et al. 2020, arXiv:2002.05709",
        summary: "two views of an image attract each other and repel those of all others in the batch", needs: "large batches")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: settings.jitterStrength)
    }

    let online: ProjectedEncoder
    private let temperature: Double

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let width = encoder.outputWidth
        let hidden = settings.hiddenWidth > 0 ? settings.hiddenWidth : width
        online = ProjectedEncoder(
            encoder,
            MLP(
                [width] + Array(repeating: hidden, count: settings.headLayers - 1) + [settings.outputWidth],
                batchNorm: settings.headBatchNorm, outputBatchNorm: settings.headBatchNorm, outputBias: !settings.headBatchNorm))
        temperature = settings.temperature
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = online(.concatenated(batch.views))
        return ["nt_xent": ContrastiveLoss.ntXent(z, temperature: temperature)]
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
