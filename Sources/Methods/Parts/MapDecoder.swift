internal import Torch

/// From small maps to larger ones: doublings by nearest neighbour, each followed by a 3×3 convolution with batch normalisation
/// and ReLU, of half the channels of the one before, and at the end a 3×3 convolution alone. Where the papers have transposed
/// convolutions, these leave no checkerboards.
final class MapDecoder: Module {
    let blocks: [Conv2d]
    let norms: [BatchNorm]
    let last: Conv2d
    private let doublings: Int
    private let target: Int

    /// - Parameters:
    ///   - inputs: channels of the small maps.
    ///   - side: theirs.
    ///   - target: the side of the result.
    ///   - width: channels of the first block.
    init(_ inputs: Int, side: Int, to target: Int, width: Int, outputs: Int) {
        var doublings = 0
        while side << (doublings + 1) <= target { doublings += 1 }
        var widths = [inputs]
        for index in 0..<max(1, doublings) { widths.append(max(1, max(min(width, 16), width >> index))) }
        blocks = zip(widths, widths.dropFirst()).map { Conv2d($0, $1, kernel: 3, padding: 1, bias: false) }
        norms = widths.dropFirst().map { BatchNorm($0) }
        last = Conv2d(widths[widths.count - 1], outputs, kernel: 3, padding: 1)
        self.doublings = doublings
        self.target = target
    }

    /// [n, inputs, side, side] to [n, outputs, target, target].
    func callAsFunction(_ maps: Tensor) -> Tensor {
        var x = maps
        for (index, (block, norm)) in zip(blocks, norms).enumerated() {
            if index < doublings { x = x.doubled() }
            x = norm.relu(block(x))
        }
        let y = last(x)
        return y.size(2) == target ? y : y.resizedBilinear(height: target, width: target)
    }
}

/// From a vector to an image: a linear layer to maps of 4 × 4, and a `MapDecoder`.
final class VectorDecoder: Layer {
    let linear: Linear
    let norm: BatchNorm
    let decoder: MapDecoder
    private let width: Int

    /// - Parameter width: channels of the 4 × 4 maps.
    init(_ inputs: Int, to side: Int, width: Int, outputs: Int = 3) {
        linear = Linear(inputs, width * 16, bias: false)
        norm = BatchNorm(width)
        decoder = MapDecoder(width, side: 4, to: side, width: width, outputs: outputs)
        self.width = width
    }

    /// [n, inputs] to [n, outputs, side, side].
    override func callAsFunction(_ code: Tensor) -> Tensor {
        decoder(norm.relu(linear(code).reshaped(code.size(0), width, 4, 4).contiguous(.channelsLast)))
    }
}

/// From a vector to an image by one hidden layer of ReLUs.
final class ConnectedDecoder: Layer {
    let layers: MLP
    private let side: Int

    /// - Parameter width: of the hidden layer.
    init(_ inputs: Int, to side: Int, width: Int) {
        layers = MLP([inputs, width, 3 * side * side], batchNorm: false)
        self.side = side
    }

    /// [n, inputs] to [n, 3, side, side].
    override func callAsFunction(_ code: Tensor) -> Tensor { layers(code).reshaped(code.size(0), 3, side, side) }
}
