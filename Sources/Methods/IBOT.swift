public import Backbones
public import Torch
public import Views

/// iBOT: image BERT pre-training with an online tokenizer (Zhou et al. 2022, arXiv:2111.07832).
///
///     L = L_CLS + L_MIM
///     L_CLS: DINO's, between class tokens of different views                                             (eq. 1)
///     L_MIM = mean over large views and images of the mean over hidden patches i of −P_t(u_i)·log P_s(û_i)   (eq. 2)
///
/// û is the large view with blocks of patches replaced by a mask token; the teacher, a moving average, sees it whole. One head
/// serves class and patch tokens; each kind has its own centre. Deviations: the last layer's gains are fixed at 1 (the authors'
/// `norm_last_layer`, which their ViT-S switches off); the student is kept as the encoder, where the authors evaluate the teacher.
public final class IBOT: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2048
        public var bottleneckWidth = 256
        /// K, outputs of the last layer.
        public var prototypes = 8192
        /// τ_s
        public var studentTemperature = 0.1
        /// τ_t of class tokens.
        public var teacherTemperature = Schedule.constant(0.04)
        /// τ_t of patches.
        public var patchTemperature = Schedule.constant(0.04)
        /// m
        public var centreMomentum = 0.9
        /// λ
        public var teacherDecay = Schedule.cosine(from: 0.996, to: 1)
        /// Epochs in which the last layer stands still.
        public var frozenEpochs = 1
        /// Small views beside the two large ones.
        public var smallViews = 10
        /// Half of the large views are masked, by a share between these.
        public var maskRatio = [0.1, 0.5]

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("bottleneckWidth", bottleneckWidth)
            try SettingsCheck.several("prototypes", prototypes)
            try SettingsCheck.positive("studentTemperature", studentTemperature)
            try SettingsCheck.positive("teacherTemperature", teacherTemperature)
            try SettingsCheck.positive("patchTemperature", patchTemperature)
            try SettingsCheck.fraction("centreMomentum", centreMomentum)
            try SettingsCheck.fraction("teacherDecay", teacherDecay)
            try SettingsCheck.notNegative("frozenEpochs", frozenEpochs)
            try SettingsCheck.notNegative("smallViews", smallViews)
            try SettingsCheck.require(
                maskRatio.count == 2 && maskRatio[0] >= 0 && maskRatio[0] <= maskRatio[1] && maskRatio[1] < 1,
                "method.maskRatio must be two rising numbers from 0 to below 1, not \(maskRatio)")
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.prototypes = FewImages.groups(prototypes, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "ibot", title: "iBOT", family: .maskedModelling, paper: "Zhou et al. 2022, arXiv:2111.07832",
        summary: "DINO, and the same for the patches that are hidden from the student", needs: "a second network", needsPatches: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.dino(
            size: ImageSize(imageSize), smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews,
            largeScale: 0.32...1, smallScale: 0.05...0.32)
    }

    /// Tokens and the head on them.
    final class Network: Module {
        let patches: PatchEncoder
        let head: PrototypeHead

        init(_ patches: PatchEncoder, _ head: PrototypeHead) {
            self.patches = patches
            self.head = head
        }

        /// Pixels to outputs of the representation, [n, K], and the patches' tokens, [n, patches, width].
        func callAsFunction(_ pixels: Tensor, _ masking: Masking) -> (image: Tensor, patches: Tensor) {
            let tokens = patches.tokens(pixels, masking)
            return (head(patches.pooled(tokens)), patches.withoutPrefix(tokens))
        }

        /// Pixels to outputs of the representation.
        func callAsFunction(_ pixels: Tensor) -> Tensor { head(patches.encoder(pixels)) }
    }

    let student: Network
    /// [outputWidth]
    let maskToken: Parameter
    let teacher: Network
    let centre: Centre
    let patchCentre: Centre
    private let settings: Settings
    /// The teacher's for images, [n, K], and the mean of those for patches, [1, K].
    private var outputs: (image: Tensor, patches: Tensor)?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func network() throws -> Network {
            let patches = try context.makePatchEncoder()
            return Network(
                patches,
                PrototypeHead(
                    patches.outputWidth, hidden: settings.hiddenWidth, bottleneck: settings.bottleneckWidth,
                    prototypes: settings.prototypes, batchNorm: false))
        }
        student = try network()
        maskToken = Parameter(.zeros([student.patches.outputWidth]))
        teacher = try network()
        centre = Centre(width: settings.prototypes, momentum: settings.centreMomentum)
        patchCentre = Centre(width: settings.prototypes, momentum: settings.centreMomentum)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let large = Tensor.concatenated(Array(batch.views.prefix(2)))
        // Drawn on the host, where what it hides is known without waiting for the device.
        let mask = mask(large.size(0))
        let hidden = Hidden(mask, on: large.device)
        // Only hidden patches count, so only theirs are the K outputs made. The centre needs the mean of all of them: the last layer
        // is linear, so that is its output for the mean bottleneck.
        let (targets, patchTargets) = withoutGradients {
            let (image, patches) = teacher(large, .none)
            let bottlenecks = teacher.head.bottleneck(patches)
            outputs = (image, teacher.head.last.normalizedScores(bottlenecks.flattened(from: 0, to: 1).mean(0, keep: true)))
            return (image, teacher.head.last.normalizedScores(hidden.rows(of: bottlenecks)))
        }
        let (predictions, tokens) = student(large, .replaced(mask.to(large.device), by: maskToken.value))
        let small = Array(batch.views.dropFirst(2))
        let others = small.isEmpty ? [] : student(.concatenated(small)).chunks(small.count)
        return [
            "cls": DINO.distillation(
                predictions.chunks(2) + others, targets.chunks(2), centre: centre.value.value,
                studentTemperature: settings.studentTemperature, teacherTemperature: step.value(settings.teacherTemperature)),
            "mim": Self.maskedPatches(
                student.head(hidden.rows(of: tokens)), patchTargets, hidden.weights, centre: patchCentre.value.value,
                studentTemperature: settings.studentTemperature, teacherTemperature: step.value(settings.patchTemperature)),
        ]
    }

    /// Which patches are hidden, and what share of the loss each has: the mean over images of the mean over their hidden patches.
    struct Hidden {
        /// Places in all patches, [rows] int64. Filled up with the first place to a multiple of 64, so that there are few shapes.
        let places: Tensor
        /// [rows]; 0 of what fills up. An image without hidden patches counts as 0.
        let weights: Tensor

        /// - Parameter mask: [n, patches] bool, on the CPU.
        init(_ mask: Tensor, on device: Device) {
            let (images, patches) = (mask.size(0), mask.size(1))
            let isHidden = mask.to(.uint8).values(UInt8.self)
            var (places, weights): ([Int64], [Double]) = ([], [])
            for image in 0..<images {
                let own = (image * patches..<(image + 1) * patches).filter { isHidden[$0] != 0 }
                places += own.map { Int64($0) }
                weights += Array(repeating: 1 / Double(own.count * images), count: own.count)
            }
            let filled = (places.count + 63) / 64 * 64 - places.count
            self.places = Tensor(places + Array(repeating: 0, count: filled)).to(device)
            self.weights = Tensor(weights + Array(repeating: 0, count: filled)).to(device)
        }

        /// [n, patches, d] to [rows, d].
        func rows(of tokens: Tensor) -> Tensor { tokens.flattened(from: 0, to: 1).rows(places) }
    }

    private func mask(_ count: Int) -> Tensor {
        let grid = student.patches.grid
        let random = UniformNumbers()
        let ratios = (0..<count).map { _ in
            random.next() < 0.5 ? 0 : random.next(in: settings.maskRatio[0]...settings.maskRatio[1])
        }
        return PatchMasks.blocks(ratios, grid, least: max(1, 4 * grid.count / 196), on: .cpu)
    }

    /// Of the first view: half of the images hide nothing.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let mask = mask(pixels.size(0)).to(pixels.device)
        return student.patches.task(of: pixels, seen: mask.not, told: mask)
    }

    /// - Parameters:
    ///   - student: of the hidden patches, [rows, K], as the teacher's.
    ///   - weights: theirs, [rows]; see `Hidden`.
    static func maskedPatches(
        _ student: Tensor, _ teacher: Tensor, _ weights: Tensor, centre: Tensor, studentTemperature: Double, teacherTemperature: Double
    ) -> Tensor {
        let target = ((teacher.detached().precise - centre) / teacherTemperature).softmax()
        let entropies = -(target * (student.precise / studentTemperature).logSoftmax()).sum(-1)
        return (entropies * weights.to(entropies.dataType)).sum()
    }

    public func beforeOptimizerStep(_ step: Step) {
        if step.epoch < settings.frozenEpochs { student.head.last.clearGradients() }
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let outputs {
            centre.update(outputs.image)
            patchCentre.update(outputs.patches)
        }
        outputs = nil
    }

    public var encoder: Encoder { student.patches.encoder }
    public var projector: Module? { student.head }
    /// The bottleneck, at length 1.
    public func embedding(_ representation: Tensor) -> Tensor? { student.head.bottleneck(representation) }
    /// The teacher's, at the temperature of the run's end.
    public func targets(of pixels: Tensor) -> Tensor? {
        ((teacher(pixels) - centre.value.value) / settings.teacherTemperature.value(at: 1, of: 1)).softmax(1)
    }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: student, into: teacher, decay: settings.teacherDecay)] }
}
