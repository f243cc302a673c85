public import Torch

/// Convolutions in a row and two fully connected layers behind them, as AlexNet and VGG are: torchvision's keys, `features.N` and
/// `classifier.N`, without the last layer, which makes the classes. Without convolutions it is a multilayer perceptron of the pixels.
///
/// The representation is fc7's, after its ReLU. Layers `conv1` … `conv5` are maps before their pooling, as the papers evaluate them.
///
/// Deviation, by setting: with the small stem, or where `connected` is off, there are no fully connected layers, which are for images
/// of one size, and no pooling behind conv5; the representation is then the mean of conv5 over positions.
public final class PlainNetwork: Backbone {
    struct Convolution {
        var outputs: Int
        var kernel = 3
        var stride = 1
        var padding = 1
        var groups = 1
    }

    /// Convolutions that are evaluated as one layer.
    struct Stage {
        var convolutions: [Convolution]
        /// The side of the windows that are pooled behind it, at stride 2.
        var pool: Int?
        /// Whether the responses of neighbouring channels are normalised.
        var isLocallyNormalized = false
    }

    struct Shape {
        var stages: [Stage]
        /// Channels of the image.
        var inputs = 3
        /// Batch normalisation after every convolution.
        var batchNorm = false
        /// The side of the maps that fc6 sees; nil for no fully connected layers.
        var side: Int?
        /// Of fc6 and fc7.
        var connectedWidth = 4096
        var connected = Connected.dropoutBefore
        var kaimingFanOut = false
    }

    /// What goes with the fully connected layers; where dropout stands decides on the keys.
    enum Connected { case dropoutBefore, dropoutBehind, batchNorm, alone }

    private let convolutions: Sequential
    private let connected: Sequential?
    private let side: Int?
    private let width: Int
    /// Of each stage, the number of `convolutions` up to its ReLU.
    private let ends: [Int]

    init(_ shape: Shape) {
        var layers: [Layer] = []
        var ends: [Int] = []
        var inputs = shape.inputs
        for stage in shape.stages {
            for item in stage.convolutions {
                layers.append(
                    Conv2d(
                        inputs, item.outputs, kernel: item.kernel, stride: item.stride, padding: item.padding, groups: item.groups,
                        kaimingFanOut: shape.kaimingFanOut))
                if shape.batchNorm { layers.append(BatchNorm(item.outputs)) }
                layers.append(Activation.relu)
                inputs = item.outputs
            }
            ends.append(layers.count)
            if stage.isLocallyNormalized { layers.append(LocalResponseNorm()) }
            if let pool = stage.pool { layers.append(MaxPool2d(pool, stride: 2)) }
        }
        convolutions = Sequential(layers)
        self.ends = ends
        side = shape.side
        width = shape.side == nil ? inputs : shape.connectedWidth
        connected = shape.side.map { side in
            let widths = [(inputs * side * side, shape.connectedWidth), (shape.connectedWidth, shape.connectedWidth)]
            let layers = widths.map { inputs, outputs -> [Layer] in
                switch shape.connected {
                case .dropoutBefore: [Dropout(0.5), Linear(inputs, outputs), Activation.relu]
                case .dropoutBehind: [Linear(inputs, outputs), Activation.relu, Dropout(0.5)]
                case .alone: [Linear(inputs, outputs), Activation.relu]
                case .batchNorm: [Linear(inputs, outputs, bias: false), BatchNorm(outputs), Activation.relu]
                }
            }
            // What would follow the last ReLU belongs to the classes' layer.
            let all = Array(layers.joined())
            return Sequential(Array(all[...all.lastIndex { $0 is Activation }!]))
        }
    }

    public override var children: [(key: String, child: Module)] {
        [("features", convolutions)] + (connected.map { [("classifier", $0)] } ?? [])
    }

    public override var outputWidth: Int { width }
    public override var layerNames: [String] { ends.indices.map { "conv\($0 + 1)" } + connectedNames }
    public override var attributionLayer: String? { connected == nil ? "conv\(ends.count)" : nil }

    /// fc6 and fc7 behind five stages.
    private var connectedNames: [String] { connected == nil ? [] : (1...2).map { "fc\(ends.count + $0)" } }

    /// The stages, and two fully connected layers.
    public override var depthCount: Int { ends.count + (connected == nil ? 0 : 2) }
    public override func depth(ofParameter key: String) -> Int {
        let parts = key.split(separator: ".")
        let position = Int(parts[1])!
        if parts[0] == "features" { return ends.firstIndex { position < $0 }! }
        return ends.count + (position < connected!.layers.lastIndex { $0 is Linear }! ? 0 : 1)
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        guard let connected else { return run(convolutions, 0..<ends.last!, x).globalAveragePool() }
        return run(connected, 0..<connected.layers.count, flattened(run(convolutions, 0..<convolutions.layers.count, x)))
    }

    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        var x = x
        var position = 0
        for (name, end) in zip(layerNames, ends) {
            x = run(convolutions, position..<end, x)
            if layers.contains(name) { found[name] = x }
            position = end
        }
        guard let connected, !layers.isDisjoint(with: connectedNames) else { return found }
        x = flattened(run(convolutions, position..<convolutions.layers.count, x))
        let end = 1 + connected.layers.firstIndex { $0 is Activation }!
        x = run(connected, 0..<end, x)
        if layers.contains(connectedNames[0]) { found[connectedNames[0]] = x }
        if layers.contains(connectedNames[1]) { found[connectedNames[1]] = run(connected, end..<connected.layers.count, x) }
        return found
    }

    /// The maps at the size that fc6 is for, in rows.
    private func flattened(_ maps: Tensor) -> Tensor {
        let isFitting = maps.size(2) == side && maps.size(3) == side
        return (isFitting ? maps : maps.adaptiveAveragePool2d(side!)).flattened(from: 1)
    }

    /// A part of the layers, with each normalisation and its ReLU in one pass.
    private func run(_ all: Sequential, _ part: Range<Int>, _ x: Tensor) -> Tensor {
        var x = x
        var position = part.lowerBound
        while position < part.upperBound {
            if position + 2 < part.upperBound, let convolution = all.layers[position] as? Conv2d,
                let norm = all.layers[position + 1] as? BatchNorm
            {
                x = x.convolved(by: (convolution, norm))
                position += 3
            } else {
                x = all.layers[position](x)
                position += 1
            }
        }
        return x
    }
}

/// Local response normalisation (Krizhevsky et al. 2012, section 3.3): b = a / (k + α Σ a²)^β, the sum over the n nearest channels.
///
/// α is what the paper says; PyTorch and Caffe divide theirs by n.
final class LocalResponseNorm: Layer {
    private let (k, n, alpha, beta) = (2.0, 5, 1e-4, 0.75)

    override func callAsFunction(_ x: Tensor) -> Tensor {
        let channels = x.size(1)
        let squares = x.squared().padded([0, 0, 0, 0, n / 2, n / 2])
        let sum = (1..<n).reduce(squares.narrowed(1, from: 0, count: channels)) { $0 + squares.narrowed(1, from: $1, count: channels) }
        return x / (sum * alpha + k).pow(beta)
    }
}
