public import Backbones
public import Torch
public import Views

/// Object consistency: Space-Time Correspondence as a Contrastive Random Walk (Jabri et al. 2020, arXiv:2006.14613).
///
///     A_t^{t+1}(i, j) = softmax_j( q_tⁱ · q_{t+1}ʲ / τ ),   q the patches' features at length 1      (eq. 1)
///     Ā_k = A_1² … A_k^{k+1} · A_{k+1}^k … A_2¹                                                        there and back again
///     L = mean over walks k and patches i of −log Ā_k(i, i)                                           (section 2)
///
/// Whoever walks from patch to similar patch through the clip and back has to arrive where he began: patches of one object have to be
/// alike at different times, and others not. Some edges are left out at random, so that objects are found by larger parts.
/// Patches overlap by half and are cut from the frames before the backbone sees them: no border tells their place. Deviation: the
/// representation for evaluation is that of a whole image. Patches whose place is lost, because their object has left, cost without
/// teaching, as in the paper.
public final class ObjectConsistency: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var frames = 4
        /// Frames from one to the next.
        public var stride = 2
        /// Patches of a side.
        public var grid = 7
        /// Of q.
        public var outputWidth = 128
        /// τ
        public var temperature = 0.07
        /// Probability that an edge is left out.
        public var edgeDropout = 0.1

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require((2...32).contains(frames), "method.frames must be 2 to 32, not \(frames)")
            try SettingsCheck.positive("stride", stride)
            try SettingsCheck.require((2...16).contains(grid), "method.grid must be 2 to 16, not \(grid)")
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.require(
                edgeDropout >= 0 && edgeDropout < 1, "method.edgeDropout must be at least 0 and below 1, not \(edgeDropout)")
        }
    }

    public static let card = MethodCard(
        name: "object_consistency", title: "Contrastive random walk", family: .contrastive, paper: "Jabri et al. 2020, arXiv:2006.14613",
        summary: "walks from patch to similar patch through a clip and back, to where it began", hasPositivePairs: false, needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .clip(ImageSize(imageSize)))
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        try ClipViews(ClipWindow(frames: settings.frames, stride: settings.stride), view)
    }

    public let encoder: Encoder
    /// From h to q.
    let projection: Linear
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        guard context.imageSize > settings.grid else {
            throw SettingsError("method.grid must be below data.imageSize (\(context.imageSize)), not \(settings.grid)")
        }
        encoder = try context.makeEncoder()
        projection = Linear(encoder.outputWidth, settings.outputWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let places = settings.grid * settings.grid
        let patches = encoder.patches(.concatenated(batch.views), grid: settings.grid)
        let q = projection(encoder.backbone(patches)).reshaped(settings.frames, batch.count, places, settings.outputWidth)
        let dropout = isTraining ? settings.edgeDropout : 0
        let walks = Self.walks(q.precise, temperature: settings.temperature) { dropout > 0 ? Self.kept($0, dropout: dropout) : nil }
        let arrives = walks[walks.count - 1].argmax(2).equal(.arange(places, on: q.device)).to(.float32).mean()
        return (["cycle": Self.cycle(walks)] as Losses).measuring("cycle_accuracy", arrives)
    }

    /// Which edges stay, of scores [n, P, P]; bool.
    static func kept(_ scores: Tensor, dropout: Double) -> Tensor {
        Tensor.rand(scores.shape, on: scores.device).atLeast(dropout)
    }

    /// The walks there and back: to the second frame, to the third, …
    /// - Parameters:
    ///   - q: [T, n, P, d], unnormalised.
    ///   - keeps: which edges of scores [n, P, P] stay; all where it says nil.
    /// - Returns: T − 1 times [n, P, P], rows sum to 1.
    static func walks(_ q: Tensor, temperature: Double, keeps: (Tensor) -> Tensor? = { _ in nil }) -> [Tensor] {
        let unit = q.normalized()
        var there: Tensor?
        var back: Tensor?
        return (1..<q.size(0)).map { t in
            let scores = unit.selected(0, t - 1).matmul(unit.selected(0, t).transposed()) / temperature
            func steps(_ scores: Tensor) -> Tensor {
                // Not −∞: of a row of which nothing stays all is as likely.
                (keeps(scores).map { scores.filled(-1e4, where: $0.not) } ?? scores).softmax(-1)
            }
            let (forward, backward) = (steps(scores), steps(scores.transposed()))
            there = there.map { $0.matmul(forward) } ?? forward
            back = back.map { backward.matmul($0) } ?? backward
            return there!.matmul(back!)
        }
    }

    /// - Parameter walks: [n, P, P] each.
    static func cycle(_ walks: [Tensor]) -> Tensor {
        let places = walks[0].size(1)
        let own = Tensor.eye(places, walks[0].dataType, on: walks[0].device)
        // The diagonal of each.
        let arrivals = Tensor.stacked(walks.map { ($0 * own).sum(2) })
        return -(arrivals + 1e-20).log().mean()
    }

    public func embedding(_ representation: Tensor) -> Tensor? { projection(representation) }
}
