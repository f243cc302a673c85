public import Backbones
public import Torch
public import Views

/// Temporal transformations: Video Representation Learning by Recognizing Temporal Transformations (Jenni et al. 2020,
/// arXiv:2007.10730).
///
///     L = −log softmax( g(f(x_t1), …, f(x_tT)) )_y,   y: one of the speeds, or random order, forwards and back, or warped time
///
/// Random order needs the statistics of short times, periodic and warped clips those of long ones. Deviations: all are told by one
/// softmax, where the paper tells speeds and transformations in two; frames are seen one by one, by an encoder of images.
public final class TemporalTransformation: Module, SelfSupervisedMethod {
    public typealias Settings = PlaybackSettings

    public static let card = MethodCard(
        name: "temporal_transformation", title: "Temporal transformations", family: .pretext, paper: "Jenni et al. 2020, arXiv:2007.10730",
        summary: "tells a clip's speed, or how its time was distorted", hasPositivePairs: false, needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try settings.views(.clip(ImageSize(imageSize)), distorts: true)
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        try settings.views(views.views[0], distorts: true)
    }

    let network: ClipClassifier

    public init(_ settings: Settings, _ context: MethodContext) throws { network = try settings.network(context, distorts: true) }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        ClipClassifier.losses(network.logits(batch.views), batch.targets[Playback.label]!, Playback.label)
    }

    public var encoder: Encoder { network.encoder }
}
