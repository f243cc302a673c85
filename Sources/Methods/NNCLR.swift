public import Backbones
public import Torch
public import Views

/// NNCLR: With a Little Help from My Friends (Dwibedi et al. 2021, arXiv:2104.14548).
///
///     ℓ = −log( exp(NN(zᵢ, Q)·p′ᵢ/τ) / Σ_k exp(NN(zᵢ, Q)·p′_k/τ) )      (eq. 3–4), p′ the predictor on the other view
///     L = mean of both directions
///
/// The positive is the nearest neighbour of z in a queue of past projections: another image of the kind.
public final class NNCLR: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of the projector's two hidden layers.
        public var hiddenWidth = 2048
        public var outputWidth = 256
        /// Of the predictor's hidden layer.
        public var predictorWidth = 4096
        /// |Q|
        public var queueLength = 98304
        /// τ
        public var temperature = 0.1

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("predictorWidth", predictorWidth)
            try SettingsCheck.positive("queueLength", queueLength)
            try SettingsCheck.positive("temperature", temperature)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.queueLength = FewImages.queue(queueLength, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "nnclr", title: "NNCLR", family: .contrastive, paper: "Dwibedi et al. 2021, arXiv:2104.14548",
        summary: "a view's neighbour among past images is the positive of the other view", needs: "large batches, a queue")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    let predictor: MLP
    let queue: Queue
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(
            encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.hiddenWidth, settings.outputWidth], outputBatchNorm: true))
        predictor = MLP([settings.outputWidth, settings.predictorWidth, settings.outputWidth])
        queue = Queue(length: settings.queueLength, width: settings.outputWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = (online(batch.views[0]), online(batch.views[1]))
        newest = z.0.detached().normalized()
        return ["info_nce": Self.contrast(z, (predictor(z.0), predictor(z.1)), queue.rows, temperature: settings.temperature)]
    }

    /// - Parameter queue: [K, d] unit vectors.
    static func contrast(_ z: (v: Tensor, w: Tensor), _ p: (v: Tensor, w: Tensor), _ queue: Tensor, temperature: Double) -> Tensor {
        func half(_ z: Tensor, _ p: Tensor) -> Tensor {
            let nearest = queue.rows(z.detached().normalized().to(queue.dataType).matmul(queue.t).argmax(1))
            return ContrastiveLoss.infoNCE(nearest, p, temperature: temperature)
        }
        return (half(z.v, p.w) + half(z.w, p.v)) / 2
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { queue.add(newest) }
        newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
