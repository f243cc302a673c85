/// VGG (Simonyan & Zisserman 2015, arXiv:1409.1556), configurations D (16) and E (19), with and without batch normalisation, as
/// torchvision has them. `conv1` … `conv5` are its five stacks.
///
/// The small stem changes no convolution; see ``PlainNetwork`` for what it leaves out.
enum VGG {
    /// - Parameters:
    ///   - depth: convolutions of the five stacks.
    ///   - width: 64 for the published network.
    ///   - isConnected: whether fc6 and fc7 follow.
    static func shape(_ depth: [Int], width: Int, batchNorm: Bool, inputs: Int, isConnected: Bool) -> PlainNetwork.Shape {
        let stages = zip(depth, [1, 2, 4, 8, 8]).enumerated().map { index, stack in
            PlainNetwork.Stage(
                convolutions: .init(repeating: .init(outputs: stack.1 * width), count: stack.0),
                pool: !isConnected && index == 4 ? nil : 2)
        }
        return .init(
            stages: stages, inputs: inputs, batchNorm: batchNorm, side: isConnected ? 7 : nil, connectedWidth: 64 * width,
            connected: .dropoutBehind, kaimingFanOut: true)
    }
}
