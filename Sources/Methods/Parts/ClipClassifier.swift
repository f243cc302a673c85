internal import Backbones
internal import Torch

/// An encoder that sees the frames of a clip one by one, and a head that sees all their maps together: a convolution over space and all
/// frames' channels, which can tell where something was in one frame and where it is in another.
///
/// The papers have networks of three-dimensional convolutions or join features of single frames after their fully connected layers;
/// here the encoder stays one of images, and its means over positions, which forget the place, are not taken before the frames meet.
final class ClipClassifier: Module {
    let encoder: Encoder
    let mix: Conv2d
    let norm: BatchNorm
    let classifier: Conv2d
    private let frames: Int

    /// - Parameters:
    ///   - frames: of a clip.
    ///   - width: channels of the head.
    /// - Throws: for a backbone without maps.
    init(_ encoder: Encoder, frames: Int, width: Int, classes: Int) throws {
        let channels = try encoder.lastMapShape().channels
        self.encoder = encoder
        mix = Conv2d(frames * channels, width, kernel: 3, padding: 1, bias: false)
        norm = BatchNorm(width)
        classifier = Conv2d(width, classes, kernel: 1)
        self.frames = frames
    }

    /// Of each position: a view for each frame, [n, 3, h, w], to [n, classes, h′, w′].
    func maps(_ views: [Tensor]) -> Tensor {
        let maps = encoder.lastMaps(.concatenated(views))
        return classifier(norm.relu(mix(Self.joined(maps, frames: frames))))
    }

    /// Of the clip: [n, classes].
    func logits(_ views: [Tensor]) -> Tensor { maps(views).mean(2, 3) }

    /// [frames · n, c, h, w], all first frames first, to [n, frames · c, h, w].
    static func joined(_ maps: Tensor, frames: Int) -> Tensor {
        Tensor.concatenated(maps.chunks(frames), dimension: 1).contiguous(.channelsLast)
    }

    /// - Parameters:
    ///   - logits: [n, classes]
    ///   - labels: [n]
    static func losses(_ logits: Tensor, _ labels: Tensor, _ name: String) -> Losses {
        let target = labels.to(.int64)
        let losses: Losses = [name: logits.crossEntropy(target)]
        return losses.measuring("\(name)_accuracy", logits.argmax(1).equal(target).to(.float32).mean())
    }
}
