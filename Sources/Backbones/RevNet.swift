public import Torch

/// Reversible residual networks (Gomez et al. 2017, arXiv:1707.04585), as Kolesnikov et al. 2019 (arXiv:1901.09005, section 3.1 and the
/// authors' code) have them: one residual function of half of the channels for each block.
///
///     (x₁, x₂) ↦ (y₁, y₂) = (x₂, x₁ + F(x₂)),   x₂ = y₁,   x₁ = y₂ − F(y₁)
///
/// F is a bottleneck with normalisation before each convolution. A stage keeps nothing but its end for the gradient: what each block
/// saw is computed back from what it gave. Between stages maps are averaged 2×2 and channels doubled, by zeros around them, which
/// needs no weights; the stem makes as many channels as the first stage has.
///
/// Deviations: batch normalisation with PyTorch's ε and momentum; by setting, the small-image stem (3×3, stride 1, no pooling) and
/// other widths, as ``ResNet`` has them. The paper's 4× is a width of 256.
public final class RevNet: Backbone {
    let conv1: Conv2d
    let layer1: ReversibleStage
    let layer2: ReversibleStage
    let layer3: ReversibleStage
    let layer4: ReversibleStage
    let norm: BatchNorm

    private let stem: ResNet.Stem
    private let width: Int

    init(blocks: [Int], width: Int, stem: ResNet.Stem) {
        self.stem = stem
        self.width = 32 * width
        conv1 = Conv2d(
            3, 4 * width, kernel: stem == .imagenet ? 7 : 3, stride: stem == .imagenet ? 2 : 1, padding: stem == .imagenet ? 3 : 1,
            bias: false, kaimingFanOut: true)
        func stage(_ index: Int) -> ReversibleStage {
            ReversibleStage(blocks[index], channels: 2 * width << index, beginsWithZeros: index > 0)
        }
        layer1 = stage(0)
        layer2 = stage(1)
        layer3 = stage(2)
        layer4 = stage(3)
        norm = BatchNorm(self.width)
    }

    public override var outputWidth: Int { width }
    public override var layerNames: [String] { ["stem", "layer1", "layer2", "layer3", "layer4"] }

    /// The stem and the four stages; the last norm is the last stage's.
    public override var depthCount: Int { 5 }
    public override func depth(ofParameter key: String) -> Int {
        key.hasPrefix("norm.") ? 4 : (1...4).first { key.hasPrefix("layer\($0).") } ?? 0
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        norm.relu(walk(x) { _, _ in }.joined).globalAveragePool()
    }

    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        _ = walk(x) { if layers.contains($0) { found[$0] = $1.joined } }
        return found
    }

    private func walk(_ x: Tensor, _ body: (String, Halves) -> Void) -> Halves {
        let convolved = conv1(x)
        // The border of the pooling is 0, as the authors have it.
        let stem = stem == .imagenet ? convolved.padded(1).maxPool2d(3, stride: 2) : convolved
        body("stem", Halves(stem))
        var halves = Halves(stem)
        for (index, stage) in [layer1, layer2, layer3, layer4].enumerated() {
            if index > 0 { halves = halves.averagedAndDoubled }
            halves = stage(halves)
            body("layer\(index + 1)", halves)
        }
        return halves
    }

    /// x₁ and x₂, [n, c / 2, h, w] each.
    struct Halves {
        var first: Tensor
        var second: Tensor

        init(_ first: Tensor, _ second: Tensor) { (self.first, self.second) = (first, second) }

        init(_ whole: Tensor) {
            let parts = whole.chunks(2, dimension: 1).map { $0.contiguous(.channelsLast) }
            self.init(parts[0], parts[1])
        }

        var joined: Tensor { .concatenated([first, second], dimension: 1).contiguous(.channelsLast) }

        /// At half of the size, between as many channels of zeros as there are in each half.
        var averagedAndDoubled: Halves {
            let parts = [first, second].map { $0.averagePool2d(2, stride: 2, coversEdges: true) }
            let channels = first.size(1)
            return Halves(
                parts[0].padded([0, 0, 0, 0, channels, 0]).contiguous(.channelsLast),
                parts[1].padded([0, 0, 0, 0, 0, channels]).contiguous(.channelsLast))
        }
    }
}

/// Blocks in a row, of which only the last one's output is kept.
final class ReversibleStage: Module {
    let units: [ResidualFunction]

    /// Off to have the graph keep everything, which gives the same gradient.
    var isReversing = true

    /// Whether half of x₂'s channels come in as zeros. What is computed back is 0 but for rounding, which the first normalisation would
    /// divide by its √ε: they are made zeros again.
    private let beginsWithZeros: Bool

    init(_ count: Int, channels: Int, beginsWithZeros: Bool = false) {
        units = (0..<count).map { _ in ResidualFunction(channels) }
        self.beginsWithZeros = beginsWithZeros
    }

    override var children: [(key: String, child: Module)] { units.enumerated().map { ("\($0)", $1) } }

    func callAsFunction(_ x: RevNet.Halves) -> RevNet.Halves {
        guard isReversing else {
            return units.reduce(x) { RevNet.Halves($0.second, $0.first + $1($0.second)) }
        }
        let parameters = units.map { $0.parameters.filter(\.isTrainable) }
        let (type, training) = (autocastType(on: x.first.device), isTraining)
        let outputs = withOwnGradient(of: [x.first, x.second] + parameters.joined().map(\.value)) {
            let y = units.reduce((x.first, x.second)) { ($0.1, $0.0 + $1($0.1)) }
            return [y.0, y.1]
        } backward: { [units, beginsWithZeros] outputs, gradients in
            var y = (outputs[0], outputs[1])
            var d = (gradients[0] ?? y.0.zerosLike(), gradients[1] ?? y.1.zerosLike())
            var found: [[Tensor?]] = []
            for (index, unit) in units.enumerated().reversed() {
                let parameters = parameters[index]
                let kept = y.0.size(1) / 2
                let x2 =
                    index == 0 && beginsWithZeros
                    ? y.0.narrowed(1, from: 0, count: kept).padded([0, 0, 0, 0, 0, y.0.size(1) - kept]).contiguous(.channelsLast)
                    : y.0.detached()
                x2.requiresGradient = true
                let (residual, own) = unit.repeating(training: training) {
                    let residual = autocast(type, on: x2.device) { withGradients { unit(x2) } }
                    let by = [x2] + parameters.map(\.value)
                    return (residual.detached(), Torch.gradients(of: [residual], with: [d.1.to(residual.dataType)], by: by))
                }
                found.insert(Array(own.dropFirst()), at: 0)
                y = withoutGradients { (y.1 - residual, x2.detached()) }
                d = withoutGradients { (d.1, d.0 + own[0]!) }
            }
            return [d.0, d.1] + found.joined()
        }
        return RevNet.Halves(outputs[0], outputs[1])
    }
}

/// F: normalisation and ReLU before each of 1×1 to a quarter of the channels, 3×3, and 1×1 back.
final class ResidualFunction: Layer {
    let norm1: BatchNorm
    let conv1: Conv2d
    let norm2: BatchNorm
    let conv2: Conv2d
    let norm3: BatchNorm
    let conv3: Conv2d

    init(_ channels: Int) {
        let inner = max(1, channels / 4)
        norm1 = BatchNorm(channels)
        conv1 = Conv2d(channels, inner, kernel: 1, bias: false, kaimingFanOut: true)
        norm2 = BatchNorm(inner)
        conv2 = Conv2d(inner, inner, kernel: 3, padding: 1, bias: false, kaimingFanOut: true)
        norm3 = BatchNorm(inner)
        conv3 = Conv2d(inner, channels, kernel: 1, bias: false, kaimingFanOut: true)
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        norm3.relu(norm2.relu(norm1.relu(x, into: conv1), into: conv2), into: conv3)
    }

    /// What was computed before, once more: running statistics are then as they were.
    func repeating<Result>(training: Bool, _ body: () -> Result) -> Result {
        let mode = isTraining
        let kept = namedBuffers.map { ($0.buffer, $0.buffer.value.cloned()) }
        defer {
            for (buffer, value) in kept { buffer.set(value) }
            if mode != training { mode ? train() : eval() }
        }
        if mode != training { training ? train() : eval() }
        return body()
    }
}
