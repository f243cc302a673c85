internal import Backbones
internal import Torch

/// A transformer of images on the cubes of a clip: two successive frames make one token at each place, and all tokens of all times attend
/// to each other.
///
///     token = E (x_t + x_{t+1}) / 2 + D (x_{t+1} − x_t) + position + time
///
/// E and the positions are the image's own, so that what is trained encodes single images as well: those in which nothing moves. D and
/// the times are the clip's. Together E and D are any linear map of the two patches, as the embedding of cubes is.
final class CubeEncoder: Module {
    let patches: PatchEncoder
    /// D
    let difference: Conv2d
    /// [times, outputWidth]
    let positions: Parameter

    /// - Parameter times: half of the frames.
    init(_ patches: PatchEncoder, times: Int) {
        self.patches = patches
        difference = Conv2d(3, patches.outputWidth, kernel: patches.patchSize, stride: patches.patchSize, bias: false)
        positions = Parameter(.randn([times, patches.outputWidth]) * 0.02)
    }

    /// - Parameters:
    ///   - views: 2 · times frames, [n, 3, h, w] each.
    ///   - mask: [n, times · patches] bool, true where a cube is hidden.
    ///   - token: [outputWidth], what stands there.
    /// - Returns: [n, times · patches, outputWidth]
    func callAsFunction(_ views: [Tensor], _ mask: Tensor, by token: Tensor) -> Tensor {
        let (n, times, width) = (views[0].size(0), views.count / 2, patches.outputWidth)
        func frames(_ first: Int) -> Tensor {
            patches.encoder.input(.concatenated((0..<times).map { views[2 * $0 + first] }))
        }
        // Time by time, as the frames are.
        let hidden = mask.reshaped(n, times, -1).transposed(0, 1).reshaped(times * n, -1)
        let (before, after) = (frames(0), frames(1))
        let embedded = patches.embedded((before + after) / 2, .replaced(hidden, by: token))
        let moved = difference(after - before).flattened(from: 2).transposed().filled(0, where: hidden.unsqueezed(2))
        let count = hidden.size(1)
        let places = embedded.narrowed(1, from: patches.prefixTokens, count: count) + moved.to(embedded.dataType)
        let tokens = places.reshaped(times, n, count, width) + positions.value.reshaped(times, 1, 1, width).to(embedded.dataType)
        let prefix = embedded.narrowed(0, from: 0, count: n).narrowed(1, from: 0, count: patches.prefixTokens)
        let all = tokens.transposed(0, 1).reshaped(n, times * count, width)
        return patches.withoutPrefix(patches.encoded(.concatenated([prefix, all], dimension: 1)))
    }
}
