public import Backbones
public import Torch
public import Views

/// Order of frames: Unsupervised Representation Learning by Sorting Sequences (Lee et al. 2017, arXiv:1708.01246), Shuffle and Learn
/// (Misra et al. 2016, arXiv:1603.08561) and the arrow of time (Wei et al. 2018).
///
///     L = −log softmax( g(f(x_1), …, f(x_T)) )_y,   y the order, whether there is one, or whether time runs backwards
///
/// Against shortcuts each frame is moved by a few pixels and may keep one colour channel only (Lee et al., section 4.1). Deviations: the
/// papers choose windows with much optical flow, which we do not look at; orders are told by one convolution over all frames' maps in
/// place of features of pairs; the arrow of time is told from frames, where the paper sees optical flow.
public final class FrameOrderPrediction: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var question = FrameOrder.Question.order
        /// Of `order` (3 to 5) and `arrow`; `verification` has three.
        public var frames = 4
        /// Frames from one to the next.
        public var stride = 4
        /// Pixels by which each frame is moved at most.
        public var jitter = 2
        /// Probability that a frame keeps only one of its colour channels.
        public var channelSplit = 1.0
        /// Of the head.
        public var hiddenWidth = 512

        public init() {}

        public func validate() throws(SettingsError) {
            let range = question == .order ? 3...5 : 2...64
            try SettingsCheck.require(
                range.contains(frames),
                "method.frames must be \(range.lowerBound) to \(range.upperBound) for \(question.rawValue), not \(frames)")
            try SettingsCheck.positive("stride", stride)
            try SettingsCheck.within("jitter", jitter, 0...256)
            try SettingsCheck.fraction("channelSplit", channelSplit)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
        }

        var task: FrameOrder { FrameOrder(question, frames: frames, stride: stride) }
    }

    public static let card = MethodCard(
        name: "frame_order", title: "Frame order", family: .pretext, paper: "Lee et al. 2017, arXiv:1708.01246",
        summary: "tells in which order a clip's frames are shown, or whether backwards", hasPositivePairs: false, needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .clip(ImageSize(imageSize)))
    }

    /// The first of the views is that of every frame; here as in the other methods of clips.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        try ClipViews(settings.task, view, jitter: settings.jitter, channelSplit: settings.channelSplit)
    }

    let network: ClipClassifier

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let task = settings.task
        network = try ClipClassifier(context.makeEncoder(), frames: task.length, width: settings.hiddenWidth, classes: task.classes)
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        ClipClassifier.losses(network.logits(batch.views), batch.targets[FrameOrder.label]!, FrameOrder.label)
    }

    public var encoder: Encoder { network.encoder }
}
