public import Backbones
public import Torch
public import Views

/// Motion estimation: which way each block of a frame goes, told from the maps of it and of the next one, after Self-supervised
/// Spatio-temporal Representation Learning for Videos by Predicting Motion and Appearance Statistics (Wang et al. 2019,
/// arXiv:1904.03597).
///
///     L = mean over blocks of −w_y · log softmax( g(f(x_0), f(x_1)) )_y,   y: still, or one of eight directions; w_still < 1
///
/// Deviations: directions come from comparing blocks of pixels (`BlockMotion`), where the paper has optical flow; every block's is told,
/// where the paper regresses which block moves most and whither; its appearance statistics are left out.
public final class MotionEstimation: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Blocks of a side.
        public var grid = 4
        /// Pixels that a block is looked for in each direction.
        public var reach = 4
        /// Frames between the two.
        public var stride = 2
        /// w of what stands still, which is most of many clips; what moves has 1.
        public var stillWeight = 0.2
        /// Of the head.
        public var hiddenWidth = 512

        public init() {}

        public func validate() throws(SettingsError) {
            // The whole image has nowhere to go.
            try SettingsCheck.within("grid", grid, 2...32)
            try SettingsCheck.require((1...32).contains(reach), "method.reach must be 1 to 32, not \(reach)")
            try SettingsCheck.positive("stride", stride)
            try SettingsCheck.fraction("stillWeight", stillWeight)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
        }
    }

    public static let card = MethodCard(
        name: "motion_estimation", title: "Motion estimation", family: .pretext, paper: "Wang et al. 2019, arXiv:1904.03597",
        summary: "tells which way each block of a frame moves to the next", hasPositivePairs: false, needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .clip(ImageSize(imageSize)))
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        try ClipViews(
            ClipWindow(frames: 2, stride: settings.stride), view, motion: BlockMotion(grid: settings.grid, reach: settings.reach))
    }

    let network: ClipClassifier
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        network = try ClipClassifier(
            context.makeEncoder(), frames: 2, width: settings.hiddenWidth, classes: BlockMotion.names.count)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let maps = network.maps(batch.views)
        let logits = maps.size(2) == settings.grid ? maps : maps.adaptiveAveragePool2d(settings.grid)
        return Self.losses(logits, batch.targets[ClipViews.motion]!, stillWeight: settings.stillWeight)
    }

    /// - Parameters:
    ///   - logits: [n, 9, grid, grid]
    ///   - motion: [n, grid, grid]
    static func losses(_ logits: Tensor, _ motion: Tensor, stillWeight: Double) -> Losses {
        let target = motion.to(.int64)
        let logits = logits.precise
        let surprise = -logits.logSoftmax(1).gathered(1, target.unsqueezed(1)).squeezed(1)
        let moves = target.greater(0)
        let weights = moves.to(logits.dataType) * (1 - stillWeight) + stillWeight
        let losses: Losses = ["motion": (surprise * weights).mean()]
        let isRight = logits.argmax(1).equal(target).to(.float32)
        return losses.measuring("motion_accuracy", isRight.mean()).measuring("moving_accuracy", isRight.mean(where: moves))
    }

    public var encoder: Encoder { network.encoder }
}
