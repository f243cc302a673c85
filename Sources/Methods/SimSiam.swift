public import Backbones
public import Torch
public import Views

/// SimSiam: Exploring Simple Siamese Representation Learning (Chen and He 2021, arXiv:2011.10566).
///
///     D(p, z) = −cos(p, stopgrad(z)),   L = ½·D(p₁, z₂) + ½·D(p₂, z₁)     (eq. 1–4)
///
/// Neither negatives nor a moving average: the stop-gradient and the predictor keep it from collapsing. The predictor stays
/// at the peak learning rate (section 4.2).
public final class SimSiam: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var outputWidth = 2048
        /// Of the projector: 3, and 2 for CIFAR-10.
        public var headLayers = 3
        public var predictorWidth = 512

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.positive("predictorWidth", predictorWidth)
        }
    }

    public static let card = MethodCard(
        name: "simsiam", title: "SimSiam", family: .teacherStudent, paper: "Chen and He 2021, arXiv:2011.10566",
        summary: "predicts one view's output from the other's, with the gradient stopped on one side")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.moCo(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let predictor: MLP

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let hidden = Array(repeating: settings.hiddenWidth, count: settings.headLayers - 1)
        online = ProjectedEncoder(
            encoder, MLP([encoder.outputWidth] + hidden + [settings.outputWidth], outputBatchNorm: true, outputAffine: false))
        predictor = MLP([settings.outputWidth, settings.predictorWidth, settings.outputWidth])
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = (online(batch.views[0]), online(batch.views[1]))
        return ["cosine": Self.distance((predictor(z.0), predictor(z.1)), z)]
    }

    /// - Returns: −1 … 1.
    static func distance(_ p: (v: Tensor, w: Tensor), _ z: (v: Tensor, w: Tensor)) -> Tensor {
        func d(_ p: Tensor, _ z: Tensor) -> Tensor { -(p.normalized() * z.detached().normalized()).sum(1).mean() }
        return (d(p.v, z.w) + d(p.w, z.v)) / 2
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var phases: [Phase] { [Phase("main", [Phase.Part(online), Phase.Part(predictor, hasConstantRate: true)])] }
}
