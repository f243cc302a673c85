public import Backbones
public import Torch
public import Views

/// Playback rate: Video Playback Rate Perception (Yao et al. 2020, arXiv:2006.11476), the part that tells the rate; SpeedNet (Benaim
/// et al. 2020, arXiv:2004.06130) with two rates.
///
///     L = −log softmax( g(f(x_s), f(x_{s+r}), f(x_{s+2r}), …) )_r,   r one of 1, 2, 4, 8
///
/// A network that knows what moves how fast has to know what it is. Deviations: frames are seen one by one, by an encoder of images; the
/// part of Yao et al. that reconstructs the clip at its own rate is left out. Every rate's frames are taken from the same places of the
/// clip, so that where they lie does not tell it.
public final class PlaybackRate: Module, SelfSupervisedMethod {
    public typealias Settings = PlaybackSettings

    public static let card = MethodCard(
        name: "playback_rate", title: "Playback rate", family: .pretext, paper: "Yao et al. 2020, arXiv:2006.11476",
        summary: "tells how fast a clip is played", hasPositivePairs: false, needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try settings.views(.clip(ImageSize(imageSize)), distorts: false)
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        try settings.views(views.views[0], distorts: false)
    }

    let network: ClipClassifier

    public init(_ settings: Settings, _ context: MethodContext) throws { network = try settings.network(context, distorts: false) }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        ClipClassifier.losses(network.logits(batch.views), batch.targets[Playback.label]!, Playback.label)
    }

    public var encoder: Encoder { network.encoder }
}
