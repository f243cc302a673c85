public import Backbones
public import Torch
public import Views

/// Instance discrimination (Wu et al. 2018, arXiv:1805.01978): every image is a class, whose weight is its own past feature.
///
///     L = (NCE or softmax of v against a memory bank f, see ContrastiveBank) + λ·mean of ‖v − fᵢ‖²        (eq. 10)
///
/// The paper has NCE with m = 4096 for ImageNet, and the exact softmax for CIFAR-10.
///
/// Deviation: with the exact softmax the bank begins with what the untrained network says of each image, and not with random vectors,
/// which for a whole epoch would be what an image has to resemble. With NCE these stay: Z is estimated by them.
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

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            // The exact softmax costs no more.
            if count <= 8 * negatives { copy.negatives = 0 }
            return copy
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
    let memory: ContrastiveBank
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.outputWidth]))
        memory = ContrastiveBank(
            samples: context.sampleCount, width: settings.outputWidth, negatives: settings.negatives, temperature: settings.temperature)
        self.settings = settings
    }

    public func prepareRun(_ services: any RunServices) throws {
        if settings.negatives == 0 { memory.bank.entries.set(try services.features { online($0) }.precise.normalized()) }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let v = online(batch.views[0]).precise.normalized()
        newest = v.detached()
        var losses: Losses = ["contrast": memory.loss(v, batch.indices)]
        if settings.proximalWeight > 0 {
            losses.parts.append(("proximal", Self.proximal(v, memory.bank(batch.indices)) * settings.proximalWeight))
        }
        return losses
    }

    /// The mean of ‖v − f‖², [n, d] both.
    static func proximal(_ v: Tensor, _ f: Tensor) -> Tensor { (v - f).squared().sum(1).mean() }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { memory.update(batch.indices, towards: newest, momentum: settings.bankMomentum) }
        newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
