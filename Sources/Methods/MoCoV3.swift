public import Backbones
public import Torch
public import Views

/// MoCo v3 (Chen, Xie and He 2021, arXiv:2104.02057, algorithm 1).
///
///     L = ctr(q₁, k₂) + ctr(q₂, k₁),   ctr(q, k) = 2τ · cross-entropy of q·kᵀ/τ with the diagonal
///
/// q is the predictor on the online projection, k the momentum encoder's projection without gradient; the negatives are
/// the other keys of the batch, so that there is no queue.
public final class MoCoV3: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of projector and predictor.
        public var hiddenWidth = 4096
        public var outputWidth = 256
        /// Of the projector: 2 with a ResNet, 3 with a ViT.
        public var headLayers = 2
        /// Batch normalisation without weights at the predictor's end: with a ViT.
        public var predictorOutputNorm = false
        /// τ
        public var temperature = 1.0
        /// m
        public var targetDecay = Schedule.cosine(from: 0.99, to: 1)

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }
    }

    public static let card = MethodCard(
        name: "moco_v3", title: "MoCo v3", family: .contrastive, paper: "Chen, Xie and He 2021, arXiv:2104.02057",
        summary: "predicts, from one view, the moving average's output of the other among those of the batch",
        needs: "a second network, large batches")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let predictor: MLP
    let target: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            let hidden = Array(repeating: settings.hiddenWidth, count: settings.headLayers - 1)
            return ProjectedEncoder(
                encoder, MLP([encoder.outputWidth] + hidden + [settings.outputWidth], outputBatchNorm: true, outputAffine: false))
        }
        online = try branch()
        predictor = MLP(
            [settings.outputWidth, settings.hiddenWidth, settings.outputWidth], outputBatchNorm: settings.predictorOutputNorm,
            outputAffine: false, outputBias: false)
        target = try branch()
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let (v, w) = (batch.views[0], batch.views[1])
        let keys = withoutGradients { (target(v), target(w)) }
        return ["info_nce": Self.contrast((predictor(online(v)), predictor(online(w))), keys, temperature: settings.temperature)]
    }

    static func contrast(_ q: (v: Tensor, w: Tensor), _ k: (v: Tensor, w: Tensor), temperature: Double) -> Tensor {
        func half(_ query: Tensor, _ key: Tensor) -> Tensor {
            ContrastiveLoss.infoNCE(query, key.detached(), temperature: temperature) * (2 * temperature)
        }
        return half(q.v, k.w) + half(q.w, k.v)
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
