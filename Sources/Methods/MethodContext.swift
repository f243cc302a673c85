public import Backbones
public import Torch

/// What a method may know when it builds its networks.
public struct MethodContext {
    /// The side of the main views in pixels.
    public let imageSize: Int
    /// Training samples: the length of memory banks.
    public let sampleCount: Int
    /// 0 when there are no labels.
    public let classCount: Int
    private let backbone: BackboneSettings
    private let input: InputTransform

    public init(backbone: BackboneSettings, input: InputTransform = .imagenet, imageSize: Int, sampleCount: Int, classCount: Int) {
        self.backbone = backbone
        self.input = input
        self.imageSize = imageSize
        self.sampleCount = sampleCount
        self.classCount = classCount
    }

    /// A new encoder of the recipe's backbone; each call draws new weights.
    /// - Parameters: what a method asks of it beside what the recipe says.
    ///   - input: in place of the recipe's.
    ///   - colours: of the recipe's input; see `InputTransform`.
    ///   - patches: of a side; see `InputTransform`.
    ///   - norm: see `BackboneSettings`, as `channels`.
    ///   - seeing: the side of what it is shown, where that is smaller than the method's views.
    public func makeEncoder(
        input own: InputTransform? = nil, colours: InputTransform.Colours? = nil, patches: Int? = nil, norm: ResNet.Norm? = nil,
        channels: [Int]? = nil, seeing side: Int? = nil
    ) throws -> Encoder {
        var (backbone, input) = (backbone, own ?? input)
        if norm != nil, !BackboneRegistry.isResNet(backbone) {
            throw SettingsError("backbone.name: the method needs a ResNet, which \(backbone.name) is not; take one such as resnet18")
        }
        if channels != nil, !BackboneRegistry.hasChannels(backbone) {
            throw SettingsError(
                "backbone.name: the method needs a ResNet, an AlexNet or a VGG, which \(backbone.name) is not; take one such as resnet18")
        }
        try BackboneRegistry.requireWholePatches(backbone, imageSize: imageSize)
        if let colours { input.colours = colours }
        if let patches { input.patches = patches }
        if let norm { backbone.norm = norm }
        if let channels { backbone.channels = channels }
        if let side { try BackboneRegistry.require(backbone, imageSize: imageSize, toSee: side) }
        return try Encoder(backbone, imageSize: imageSize, input: input)
    }

    /// A new encoder from which patches can be hidden.
    /// - Throws: when the recipe's backbone is no such, or its patches do not fill the image.
    public func makePatchEncoder() throws -> PatchEncoder {
        let encoder = try makeEncoder()
        guard let patches = PatchEncoder(encoder) else {
            throw SettingsError(
                "backbone.name: the method hides patches, which \(backbone.name) does not have; take a transformer such as vit_tiny")
        }
        guard patches.grid.count >= 4 else {
            throw SettingsError(
                "backbone.patchSize (\(patches.patchSize)) makes \(patches.grid.count) of an image of \(imageSize) pixels, of which some are to "
                    + "be hidden: take a smaller one")
        }
        return patches
    }
}

/// Something that is optimised by an optimiser of its own, a number of times per batch. Generators and discriminators
/// are two; most methods are one.
public struct Phase {
    public struct Part {
        public let module: Module
        /// Those of the module's parameters that are meant; all by default.
        public let parameters: [Parameter]
        /// Multiplies the learning rate.
        public let learningRateScale: Double
        /// Stays at the peak learning rate, without the schedule (SimSiam's predictor).
        public let hasConstantRate: Bool

        public init(
            _ module: Module, only parameters: [Parameter]? = nil, learningRateScale: Double = 1, hasConstantRate: Bool = false
        ) {
            self.module = module
            self.parameters = parameters ?? module.parameters
            self.learningRateScale = learningRateScale
            self.hasConstantRate = hasConstantRate
        }
    }

    public let name: String
    public let parts: [Part]
    public let repeats: Int

    public init(_ name: String, _ parts: [Part], repeats: Int = 1) {
        self.name = name
        self.parts = parts
        self.repeats = repeats
    }
}

/// target ← τ · target + (1 − τ) · source after every step: teachers, momentum encoders, evaluation averages.
public struct MovingAverage {
    /// What happens to the target's buffers (batch-norm statistics).
    public enum Buffers: String, Codable, Sendable {
        /// They are the source's.
        case copy
        /// They are averaged like the weights.
        case average
        /// The target keeps its own.
        case own
    }

    public let source: Module
    public let target: Module
    /// τ
    public let decay: Schedule
    public let buffers: Buffers

    public init(of source: Module, into target: Module, decay: Schedule, buffers: Buffers = .copy) {
        self.source = source
        self.target = target
        self.decay = decay
        self.buffers = buffers
    }

    /// Makes the target equal to the source, and frees it of gradients. Called by the method when it is built.
    public func begin() {
        Averaging.copy(source.parameters.map(\.value), into: target.parameters.map(\.value))
        Averaging.copy(source.namedBuffers.map(\.buffer.value), into: target.namedBuffers.map(\.buffer.value))
        target.setTrainable(false)
    }

    /// One update.
    public func update(_ step: Step) {
        let decay = step.value(decay)
        Averaging.update(target.parameters.map(\.value), towards: source.parameters.map(\.value), decay: decay)
        let sources = source.namedBuffers.map(\.buffer.value)
        let targets = target.namedBuffers.map(\.buffer.value)
        switch buffers {
        case .copy: Averaging.copy(sources, into: targets)
        case .average:
            // Counters are no averages.
            let floating = zip(targets, sources).filter { $0.0.dataType.isFloatingPoint }
            Averaging.update(floating.map(\.0), towards: floating.map(\.1), decay: decay)
        case .own: break
        }
    }
}

/// What the trainer does for a method between epochs.
public protocol RunServices {
    /// Training samples.
    var sampleCount: Int { get }

    /// Samples of a batch.
    var batchSize: Int { get }

    /// The label of every training sample, −1 where there is none.
    var labels: [Int] { get }

    /// `body` of every training image, as evaluation sees it, in the data set's order: [sampleCount, …]. Unreadable
    /// images give zeros.
    func features(_ body: (_ pixels: Tensor) -> Tensor) throws -> Tensor

    /// The samples of the coming epoch, in the order in which they are drawn; replaces the shuffled data set for this epoch.
    func setOrder(_ indices: [Int])

    /// Forgets what the optimisers know of a module's parameters, whose values the method has begun anew.
    func resetOptimizerState(of module: Module)
}
