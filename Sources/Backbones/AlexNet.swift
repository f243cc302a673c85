/// AlexNet in three forms, for images of 227 (or 224) pixels.
///
/// - `alexnet`: torchvision's, which is that of "One weird trick" (Krizhevsky 2014, arXiv:1404.5997).
/// - `alexnet_bn`: the same with batch normalisation in place of dropout, as RotNet and others train it (Gidaris et al. 2018,
///   arXiv:1803.07728, the authors' code).
/// - `alexnet_lrn`: the original (Krizhevsky et al. 2012), in two groups and with local response normalisation.
///
/// The small stem is a 3×3 convolution of stride 1 in place of the first of 11×11 and stride 4; see ``PlainNetwork`` for what else
/// changes with it.
enum AlexNet: Sendable {
    case torchvision, batchNorm, original

    /// - Parameters:
    ///   - width: 64 for the published network.
    ///   - isConnected: whether fc6 and fc7 follow.
    func shape(width: Int, stem: ResNet.Stem, inputs: Int, isConnected: Bool) -> PlainNetwork.Shape {
        func channels(_ published: Int) -> Int { published * width / 64 }
        let isOriginal = self == .original
        // The original's maps have 55 positions a side, of images of 227 pixels.
        let first: PlainNetwork.Convolution =
            stem == .small
            ? .init(outputs: channels(isOriginal ? 96 : 64))
            : .init(outputs: channels(isOriginal ? 96 : 64), kernel: 11, stride: 4, padding: isOriginal ? 0 : 2)
        let groups = isOriginal ? 2 : 1
        let second = PlainNetwork.Convolution(outputs: channels(isOriginal ? 256 : 192), kernel: 5, padding: 2, groups: groups)
        return .init(
            stages: [
                .init(convolutions: [first], pool: 3, isLocallyNormalized: isOriginal),
                .init(convolutions: [second], pool: 3, isLocallyNormalized: isOriginal),
                .init(convolutions: [.init(outputs: channels(384))]),
                .init(convolutions: [.init(outputs: channels(isOriginal ? 384 : 256), groups: groups)]),
                .init(convolutions: [.init(outputs: channels(256), groups: groups)], pool: isConnected ? 3 : nil),
            ], inputs: inputs, batchNorm: self == .batchNorm, side: isConnected ? 6 : nil, connectedWidth: channels(4096),
            connected: self == .batchNorm ? .batchNorm : .dropoutBefore)
    }
}
