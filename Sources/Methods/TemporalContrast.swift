public import Backbones
public import Torch
public import Views

/// Temporal contrast: CVRL, Spatiotemporal Contrastive Video Representation Learning (Qian et al. 2021, arXiv:2008.03800).
///
///     z = g( mean over a window's frames of f(x_t) )
///     L = NT-Xent over two windows of each clip, τ = 0.1,   the windows the likelier the nearer they are
///
/// Each window's frames are augmented alike, the two windows differently. Deviation: a window's feature is the mean of its frames', by an
/// encoder of images, where the paper has a three-dimensional ResNet.
public final class TemporalContrast: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of each window.
        public var frames = 2
        /// Frames from one to the next.
        public var stride = 2
        /// Between the windows' beginnings at most; 0 for as far as the clip reaches.
        public var farthest = 0
        /// Of the projector's hidden layer.
        public var hiddenWidth = 2048
        public var outputWidth = 128
        /// τ
        public var temperature = 0.1
        /// s of the colour jitter: 1 for large images, 0.5 for small ones.
        public var jitterStrength = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require((1...64).contains(frames), "method.frames must be 1 to 64, not \(frames)")
            try SettingsCheck.positive("stride", stride)
            try SettingsCheck.notNegative("farthest", farthest)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "temporal_contrast", title: "Temporal contrast", family: .contrastive, paper: "Qian et al. 2021, arXiv:2008.03800",
        summary: "two times of a clip attract each other and repel those of other clips", needs: "large batches", needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .contrastedClip(ImageSize(imageSize), strength: settings.jitterStrength))
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        let farthest = settings.farthest > 0 ? settings.farthest : nil
        return try ClipViews(ClipWindowPair(frames: settings.frames, stride: settings.stride, farthest: farthest), view)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        self.settings = settings
    }

    /// The views are the first window's frames, then the second's.
    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let h = Self.windows(encoder(.concatenated(batch.views)), frames: settings.frames)
        return ["nt_xent": ContrastiveLoss.ntXent(online.projector(h), temperature: settings.temperature)]
    }

    /// [2 · frames · n, d], frame by frame, to the windows' means, [2n, d].
    static func windows(_ h: Tensor, frames: Int) -> Tensor {
        let n = h.size(0) / (2 * frames)
        return h.reshaped(2, frames, n, h.size(1)).mean(1).reshaped(2 * n, h.size(1))
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
