internal import Backbones
internal import Torch
internal import Views

/// The settings of methods that tell how a clip was played.
public struct PlaybackSettings: MethodSettings {
    public var frames = 16
    /// All different; the clip needs (frames − 1) · the largest + 1 frames.
    public var rates = [1, 2, 4, 8]
    /// Pixels by which each frame is moved at most.
    public var jitter = 0
    /// Probability that a frame keeps only one of its colour channels.
    public var channelSplit = 0.0
    /// Of the head.
    public var hiddenWidth = 512

    public init() {}

    public func validate() throws(SettingsError) {
        try SettingsCheck.require((4...64).contains(frames), "method.frames must be 4 to 64, not \(frames)")
        try SettingsCheck.require(
            rates.count >= 2 && rates.allSatisfy { (1...1000).contains($0) } && Set(rates).count == rates.count,
            "method.rates must be two different numbers or more, from 1 to 1000, not \(rates)")
        try SettingsCheck.within("jitter", jitter, 0...256)
        try SettingsCheck.fraction("channelSplit", channelSplit)
        try SettingsCheck.positive("hiddenWidth", hiddenWidth)
    }

    func views(_ view: View, distorts: Bool) throws(AugmentationError) -> ClipViews {
        try ClipViews(
            Playback(frames: frames, rates: rates, distorts: distorts), view, jitter: jitter, channelSplit: channelSplit)
    }

    func network(_ context: MethodContext, distorts: Bool) throws -> ClipClassifier {
        let task = Playback(frames: frames, rates: rates, distorts: distorts)
        return try ClipClassifier(context.makeEncoder(), frames: frames, width: hiddenWidth, classes: task.classes)
    }
}
