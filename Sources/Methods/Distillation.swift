public import Backbones
public import Torch
public import Views

/// Self-training and distillation (SimCLRv2: Chen et al. 2020, arXiv:2006.10029, section 2.3): a fine-tuned teacher labels images
/// for a student.
///
///     L = −(1 − α) Σ log Pˢ(yᵢ | xᵢ; 1)                      over labelled samples (eq. 3)
///         −      α  Σ Σ_y Pᵀ(y | xᵢ; τ) log Pˢ(y | xᵢ; τ)     over all samples (eq. 2)
///
/// Sums are means here. Teacher and student see the same view; the teacher's batch-norm statistics stand still.
public final class Distillation: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// A run folder of a classifier: `encoder.safetensors` and `classifier.safetensors`.
        public var teacher = ""
        /// τ
        public var temperature = 1.0
        /// 1 − α: 0 leaves the labels out (eq. 2).
        public var labelWeight = 0.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("labelWeight", labelWeight)
        }
    }

    public static let card = MethodCard(
        name: "distillation", title: "Distillation", family: .supervised, paper: "Chen et al. 2020, arXiv:2006.10029",
        summary: "a student learns what a fine-tuned teacher makes of images without labels", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    public let student: ClassifierNetwork
    let teacher: ClassifierNetwork
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        teacher = try ClassifierNetwork.read(settings.teacher)
        teacher.setTrainable(false)
        student = ClassifierNetwork(try context.makeEncoder(), classes: teacher.classCount)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let target = teacher.evaluating { withoutGradients { teacher(pixels) } }
        let logits = student(pixels)
        var losses: Losses = [
            "distillation": Self.distillation(logits, target, temperature: settings.temperature) * (1 - settings.labelWeight)
        ]
        if settings.labelWeight > 0 {
            let labelled = Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0)
            losses.parts.append(("cross_entropy", labelled * settings.labelWeight))
        }
        return losses
    }

    /// −Σ_y Pᵀ(y; τ) log Pˢ(y; τ), mean over samples, without gradient through the teacher.
    static func distillation(_ student: Tensor, _ teacher: Tensor, temperature: Double) -> Tensor {
        (student / temperature).crossEntropy((teacher.detached() / temperature).softmax(1))
    }

    public var encoder: Encoder { student.encoder }
    public func logits(_ pixels: Tensor) -> Tensor { student(pixels) }
    public var classifierState: StateDict? { student.classifierState }
    public var phases: [Phase] { [Phase("main", [Phase.Part(student)])] }
}

extension Distillation: Classifying {}
