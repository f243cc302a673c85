public import Backbones
public import Torch
public import Views

/// Ordinary supervised training by cross-entropy: not self-supervised, but the baseline that every such paper has, and the
/// source of transfer. It runs under the same protocol so that the comparison is fair. Samples without a label are skipped.
///
/// Its settings are those that fine-tuning recipes need: MixUp, layers between encoder and classifier (SimCLRv2 fine-tunes from
/// the middle of its projection head), and rates that fall with the distance from the classifier.
public final class Supervised: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var labelSmoothing = 0.0
        /// α of MixUp (Zhang et al. 2018, arXiv:1710.09412); 0 for none.
        public var mixUp = 0.0
        /// Each depth of the backbone learns so much more slowly than the next, whose last is the classifier's (Bao et al. 2022,
        /// arXiv:2106.08254); 1 for one rate.
        public var layerDecay = 1.0
        /// Width of a linear layer with ReLU between encoder and classifier; 0 for none.
        public var headWidth = 0
        /// Whether that layer is batch-normalised.
        public var headBatchNorm = true
        /// Starts the classifier at zero.
        public var zeroInitClassifier = false

        public init() {}

        public func validate() throws(SettingsError) {
            guard (0..<1).contains(labelSmoothing) else {
                throw SettingsError("method.labelSmoothing must be at least 0 and below 1, not \(labelSmoothing)")
            }
            try SettingsCheck.notNegative("mixUp", mixUp)
            try SettingsCheck.require(
                layerDecay > 0 && layerDecay <= 1, "method.layerDecay must be above 0 and at most 1, not \(layerDecay)")
            try SettingsCheck.notNegative("headWidth", headWidth)
        }
    }

    public static let card = MethodCard(
        name: "supervised", title: "Supervised", family: .supervised, paper: "the baseline of every paper",
        summary: "cross-entropy on the labels", needsLabels: true, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    private let network: ClassifierNetwork
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        guard context.classCount >= 2 else {
            throw SettingsError("supervised training needs at least 2 classes, and the data have \(context.classCount)")
        }
        network = ClassifierNetwork(
            try context.makeEncoder(), classes: context.classCount, headWidth: settings.headWidth, headBatchNorm: settings.headBatchNorm)
        self.settings = settings
        super.init()
        if settings.zeroInitClassifier {
            withoutGradients { for parameter in classifier.parameters { parameter.value.zeroInPlace() } }
        }
    }

    /// The network's keys, without a prefix.
    public override var children: [(key: String, child: Module)] { network.children }

    public var encoder: Encoder { network.encoder }
    public var head: Sequential? { network.head }
    public var classifier: Linear { network.classifier }
    public var classifierState: StateDict? { network.classifierState }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        guard settings.mixUp > 0 else { return ["cross_entropy": crossEntropy(logits(pixels), batch.labels)] }
        // From the run's own generator, which checkpoints keep.
        let share = Tensor.randomBeta(settings.mixUp, settings.mixUp)
        let partners = Tensor.randomPermutation(pixels.size(0)).to(pixels.device)
        let floats = pixels.to(.float32)
        let logits = logits(floats * share + floats.rows(partners) * (1 - share))
        return ["cross_entropy": Self.mixed(share) { crossEntropy(logits, $0 ? batch.labels : batch.labels.rows(partners)) }]
    }

    /// λ CE(ŷ, yᵢ) + (1 − λ) CE(ŷ, yⱼ), which of hard labels is the cross-entropy with the mixed ones.
    static func mixed(_ share: Double, _ loss: (_ own: Bool) -> Tensor) -> Tensor { loss(true) * share + loss(false) * (1 - share) }

    private func crossEntropy(_ logits: Tensor, _ labels: Tensor) -> Tensor {
        Self.crossEntropy(logits, labels, labelSmoothing: settings.labelSmoothing)
    }

    /// The mean over the samples that have a label; 0 when none has.
    static func crossEntropy(_ logits: Tensor, _ labels: Tensor, labelSmoothing: Double) -> Tensor {
        let count = labels.atLeast(0).to(logits.dataType).sum().clamped(1)
        return logits.summedCrossEntropy(labels, labelSmoothing: labelSmoothing, ignoring: -1) / count
    }

    /// Pixels [n, 3, h, w] to [n, classes].
    public func logits(_ pixels: Tensor) -> Tensor { network(pixels) }

    public var phases: [Phase] {
        guard settings.layerDecay < 1 else { return [Phase("main", [Phase.Part(self)])] }
        let backbone = encoder.backbone
        let byDepth = Dictionary(grouping: encoder.namedParameters) { backbone.depth(ofParameter: $0.key) }
        var parts = byDepth.keys.sorted().map { depth in
            var scale = 1.0
            for _ in depth..<backbone.depthCount { scale *= settings.layerDecay }
            return Phase.Part(encoder, only: byDepth[depth]!.map(\.parameter), learningRateScale: scale)
        }
        if let head { parts.append(Phase.Part(head)) }
        return [Phase("main", parts + [Phase.Part(classifier)])]
    }
}

extension Supervised: Classifying {}
