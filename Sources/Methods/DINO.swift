public import Backbones
public import Torch
public import Views

/// DINO: self-distillation with no labels (Caron et al. 2021, arXiv:2104.14294).
///
///     L = mean over large views x and other views x′ of −Σ P_t(x)·log P_s(x′)                            (eq. 3)
///     P_s = softmax(g_s/τ_s),   P_t = softmax((g_t − c)/τ_t)                                             (eq. 1)
///     c ← m·c + (1 − m)·mean of g_t over the batch                                                        (eq. 4)
///     θ_t ← λθ_t + (1 − λ)θ_s
///
/// The centre keeps one output from winning, the low teacher temperature keeps the outputs from being uniform. The last
/// layer is weight-normalised and stands still at first. Deviations: its gains are fixed at 1 (the authors' `norm_last_layer`, which
/// their best ViT-S switches off); the student is kept as the encoder, where the authors evaluate the teacher.
public final class DINO: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var bottleneckWidth = 256
        /// K, outputs of the last layer.
        public var prototypes = 65536
        public var headBatchNorm = false
        /// τ_s
        public var studentTemperature = 0.1
        /// τ_t
        public var teacherTemperature = Schedule.constant(0.04)
        /// m
        public var centreMomentum = 0.9
        /// λ
        public var teacherDecay = Schedule.cosine(from: 0.996, to: 1)
        /// Epochs in which the last layer stands still.
        public var frozenEpochs = 1
        /// Small views beside the two large ones.
        public var smallViews = 8

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("bottleneckWidth", bottleneckWidth)
            try SettingsCheck.several("prototypes", prototypes)
            try SettingsCheck.positive("studentTemperature", studentTemperature)
            try SettingsCheck.positive("teacherTemperature", teacherTemperature)
            try SettingsCheck.fraction("centreMomentum", centreMomentum)
            try SettingsCheck.fraction("teacherDecay", teacherDecay)
            try SettingsCheck.notNegative("frozenEpochs", frozenEpochs)
            try SettingsCheck.notNegative("smallViews", smallViews)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.prototypes = FewImages.groups(prototypes, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "dino", title: "DINO", family: .teacherStudent, paper: "Caron et al. 2021, arXiv:2104.14294",
        summary: "a student gives every view the sharpened, centred outputs that its moving average gives a large view",
        needs: "a second network")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.dino(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews)
    }

    let student: ProjectedEncoder
    let teacher: ProjectedEncoder
    let centre: Centre
    private let settings: Settings
    private var outputs: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func head(_ encoder: Encoder) -> PrototypeHead {
            PrototypeHead(
                encoder.outputWidth, hidden: settings.hiddenWidth, bottleneck: settings.bottleneckWidth, prototypes: settings.prototypes,
                batchNorm: settings.headBatchNorm)
        }
        let encoder = try context.makeEncoder()
        student = ProjectedEncoder(encoder, head(encoder))
        let other = try context.makeEncoder()
        teacher = ProjectedEncoder(other, head(other))
        centre = Centre(width: settings.prototypes, momentum: settings.centreMomentum)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    private var head: PrototypeHead { student.projector as! PrototypeHead }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let large = withoutGradients { teacher.together(Array(batch.views.prefix(2))) }
        outputs = .concatenated(large)
        return [
            "cross_entropy": Self.distillation(
                student.together(batch.views), large, centre: centre.value.value, studentTemperature: settings.studentTemperature,
                teacherTemperature: step.value(settings.teacherTemperature))
        ]
    }

    /// - Parameters:
    ///   - student: every view's [n, K].
    ///   - teacher: those of the large views, which come first.
    static func distillation(
        _ student: [Tensor], _ teacher: [Tensor], centre: Tensor, studentTemperature: Double, teacherTemperature: Double
    ) -> Tensor {
        var terms: [Tensor] = []
        for (x, output) in teacher.enumerated() {
            let target = ((output.detached() - centre) / teacherTemperature).softmax(1)
            for (other, scores) in student.enumerated() where other != x {
                terms.append((scores / studentTemperature).crossEntropy(target))
            }
        }
        return Tensor.stacked(terms).mean()
    }

    public func beforeOptimizerStep(_ step: Step) {
        if step.epoch < settings.frozenEpochs { head.last.clearGradients() }
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let outputs { centre.update(outputs) }
        outputs = nil
    }

    public var encoder: Encoder { student.encoder }
    public var projector: Module? { student.projector }
    /// The bottleneck, at length 1.
    public func embedding(_ representation: Tensor) -> Tensor? { head.bottleneck(representation) }
    /// The teacher's, at the temperature of the run's end.
    public func targets(of pixels: Tensor) -> Tensor? {
        ((teacher(pixels) - centre.value.value) / settings.teacherTemperature.value(at: 1, of: 1)).softmax(1)
    }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: student, into: teacher, decay: settings.teacherDecay)] }
}

/// DINO's head: three linear layers with GELU, length 1, and weight-normalised prototypes whose gain stays 1.
final class PrototypeHead: Layer {
    let mlp: Sequential
    let last: Prototypes

    init(_ inputs: Int, hidden: Int, bottleneck: Int, prototypes: Int, batchNorm: Bool) {
        func linear(_ inputs: Int, _ outputs: Int) -> Linear {
            let layer = Linear(inputs, outputs)
            // The authors draw from a normal of 0.02, cut off at values that it hardly reaches.
            withoutGradients {
                layer.weight.value.normalInPlace(standardDeviation: 0.02)
                layer.bias?.value.zeroInPlace()
            }
            return layer
        }
        let norms: () -> [Layer] = { batchNorm ? [BatchNorm(hidden)] : [] }
        mlp = Sequential(
            [linear(inputs, hidden)] + norms() + [Activation.gelu, linear(hidden, hidden)] + norms()
                + [Activation.gelu, linear(hidden, bottleneck)])
        last = Prototypes(prototypes, width: bottleneck)
    }

    func bottleneck(_ x: Tensor) -> Tensor { mlp(x).normalized() }

    override func callAsFunction(_ x: Tensor) -> Tensor { last.normalizedScores(bottleneck(x)) }
}
