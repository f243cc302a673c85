public import Backbones
public import Torch
public import Views

/// One method of the field: what it sees, what it computes, what it keeps.
///
/// A conforming class is a `Module` whose properties are its networks and state; the trainer finds, steps, averages,
/// saves and resumes them. The method says the mathematics of its paper and declares the rest. Everything but `loss`,
/// `encoder` and `views` has a default.
public protocol SelfSupervisedMethod: Module {
    associatedtype Settings: MethodSettings

    static var card: MethodCard { get }

    /// What a sample is turned into before the method sees it.
    /// - Parameter imageSize: the side of the main views in pixels.
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker

    /// What is made of views that a recipe gives in place of the method's own: just these by default.
    /// - Throws: where the method can make nothing of them.
    static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker

    /// Builds the networks with new weights from libtorch's generator.
    init(_ settings: Settings, _ context: MethodContext) throws

    /// The loss of one batch, with gradient.
    func loss(_ batch: Batch, _ step: Step) -> Losses

    /// What evaluation keeps.
    var encoder: Encoder { get }

    /// z = g(h), where the loss acts: [n, outputWidth] to [n, d]. Nil when the method has no such space; health is then
    /// read at h alone.
    func embedding(_ representation: Tensor) -> Tensor?

    /// The images' targets, of the network that makes them, or their assignments to prototypes: pixels [n, 3, h, w] to [n, K]
    /// distributions. Nil when the method has none; health then reads no use of targets.
    func targets(of pixels: Tensor) -> Tensor?

    /// What the method makes of images, for people to look at: pixels [n, 3, h, w] uint8 to rows of pictures; none by default.
    /// Called in evaluation mode, without a graph.
    func pictures(of pixels: Tensor) -> [PictureRow]

    /// Heads worth keeping beside the encoder (`projector.safetensors`), such as SimCLRv2 fine-tunes from.
    var projector: Module? { get }

    /// What makes class scores of the encoder's features, by key, of methods that have it (`classifier.safetensors`).
    var classifierState: StateDict? { get }

    /// Fewer samples in a batch have no loss; the card's number unless the settings decide.
    var leastBatch: Int { get }

    /// What is optimised, in turn; one phase with everything by default.
    var phases: [Phase] { get }

    /// Copies that follow other modules, updated after every optimiser step.
    var movingAverages: [MovingAverage] { get }

    /// Before the first step of a new run: teachers, vocabularies.
    func prepareRun(_ services: any RunServices) throws

    /// Before every epoch: clusters, sampling orders, heads to begin anew.
    func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws

    /// Between gradients and the optimiser's step: freezing, normalising.
    func beforeOptimizerStep(_ step: Step)

    /// After the step and the moving averages: queues, banks, centres.
    func afterStep(_ batch: Batch, _ step: Step)
}

extension SelfSupervisedMethod {
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { views }
    public func embedding(_ representation: Tensor) -> Tensor? { nil }
    public func targets(of pixels: Tensor) -> Tensor? { nil }
    public func pictures(of pixels: Tensor) -> [PictureRow] { [] }
    public var projector: Module? { nil }
    public var classifierState: StateDict? { nil }
    public var leastBatch: Int { Self.card.leastBatch }
    public var phases: [Phase] { [Phase("main", [Phase.Part(self)])] }
    public var movingAverages: [MovingAverage] { [] }
    public func prepareRun(_ services: any RunServices) throws {}
    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {}
    public func beforeOptimizerStep(_ step: Step) {}
    public func afterStep(_ batch: Batch, _ step: Step) {}
}

/// A method whose task is not in its views: what is hidden is hidden on the device while it trains.
public protocol DeviceTask: SelfSupervisedMethod {
    /// What the network is given of images, and what it must tell, for people to look at: pixels [n, 3, h, w] uint8 to rows of pictures
    /// with titles of a word or two. Called in evaluation mode, without a graph.
    func task(of pixels: Tensor) -> [PictureRow]
}

/// Pictures of one kind, such as what was filled in.
public struct PictureRow {
    /// One line, for the report.
    public let title: String
    /// [n, 3, h, w], 0 … 255 as far as it can be shown.
    public let images: Tensor

    public init(_ title: String, _ images: Tensor) {
        self.title = title
        self.images = images
    }
}

/// The hyper-parameters of a method: the recipe's `method:` block.
public protocol MethodSettings: Codable, Sendable, Equatable {
    /// The published defaults.
    init()
    /// Refuses values that make no sense.
    func validate() throws(SettingsError)
    /// These with counts that so many images in such batches can bear, for whoever names no recipe: the published ones are for a million
    /// images. Unchanged by default.
    func suited(toImages count: Int, batchSize: Int) -> Self
}

extension MethodSettings {
    public func suited(toImages count: Int, batchSize: Int) -> Self { self }
    public func validate() throws(SettingsError) {}
}

/// A setting that makes no sense: which, and what would.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// What a person wants to know of a method before choosing it, and the trainer before running it.
public struct MethodCard: Sendable, Equatable {
    public enum Family: String, Sendable, CaseIterable {
        case pretext, generative, contrastive, clustering
        case teacherStudent = "teacher–student"
        case maskedModelling = "masked modelling"
        case redundancyReduction = "redundancy reduction"
        case supervised
    }

    /// As in recipes: `simclr`.
    public let name: String
    /// As in papers: `SimCLR`.
    public let title: String
    public let family: Family
    /// Authors, year, identifier.
    public let paper: String
    public let summary: String
    public let needsLabels: Bool
    /// What it takes beside the network: large batches, a second network, a vector for every image. Empty for nothing.
    public let needs: String
    /// Fewer samples in a batch have no loss, whatever the settings.
    public let leastBatch: Int
    /// The first two views of a sample show the same content, so that their distance means alignment.
    public let hasPositivePairs: Bool
    /// The loss compares outputs as they are, not at length 1, and asks for deviation 1 of each: outputs that shrink to nothing
    /// are a collapse.
    public let hasScale: Bool
    /// The backbone has to be one that patches can be hidden from (`MaskableBackbone`).
    public let needsPatches: Bool
    /// It learns from clips, not from single images.
    public let needsClips: Bool
    /// What to try when all images come to look alike, where that is not what helps methods that compare their own vectors.
    public let remedy: String?
    /// Where it can do with more views of an image than its own: how many; nil where it cannot.
    public let mostViews: Int?

    public init(
        name: String, title: String, family: Family, paper: String, summary: String, needsLabels: Bool = false, needs: String = "",
        leastBatch: Int = 2, hasPositivePairs: Bool = true, hasScale: Bool = false, needsPatches: Bool = false,
        needsClips: Bool = false, mostViews: Int? = nil, remedy: String? = nil
    ) {
        self.name = name
        self.title = title
        self.family = family
        self.paper = paper
        self.summary = summary
        self.needsLabels = needsLabels
        self.needs = needs
        self.leastBatch = leastBatch
        self.hasPositivePairs = hasPositivePairs
        self.mostViews = mostViews
        self.hasScale = hasScale
        self.needsPatches = needsPatches
        self.needsClips = needsClips
        self.remedy = remedy ?? ([.pretext, .supervised].contains(family) ? Self.remedyOfGivenTargets : nil)
    }

    /// Of methods that are told by pixels or labels what to learn, which cannot become trivial.
    public static let remedyOfGivenTargets =
        "lower the learning rate and the weight decay, lengthen the warm-up, train longer, or take a harder task: an easy one asks for few "
        + "directions"
}
