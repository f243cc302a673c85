public import Torch

/// Residual networks with the normalisation before each convolution (He et al. 2016, arXiv:1603.05027), group instead of batch
/// normalisation, and standardised weights: BiT's (Kolesnikov et al. 2020, arXiv:1912.11370), as timm's `resnetv2_50x1_bit`
/// without `head`. No sample depends on another.
///
/// Deviations, by setting: the small-image stem and other widths, as ``ResNet`` has them. Groups are 32, or as many as divide
/// the channels of a narrow network.
public final class ResNetV2: Backbone {
    let stem: Stem
    let stages: [Stage]
    let norm: GroupNorm

    private let width: Int

    init(blocks: [Int], width: Int, stem: ResNet.Stem) {
        self.width = 32 * width
        self.stem = Stem(width, stem)
        var inputs = width
        stages = blocks.enumerated().map { index, count in
            let outputs = 4 * width << index
            defer { inputs = outputs }
            return Stage(
                (0..<count).map {
                    PreActivationBottleneck($0 == 0 ? inputs : outputs, outputs, stride: $0 == 0 && index > 0 ? 2 : 1, projects: $0 == 0)
                })
        }
        norm = groupNorm(self.width)
    }

    public override var outputWidth: Int { width }
    public override var layerNames: [String] { ["stem"] + stages.indices.map { "layer\($0 + 1)" } }

    /// The stem and the stages; the last norm is the last stage's.
    public override var depthCount: Int { stages.count + 1 }
    public override func depth(ofParameter key: String) -> Int {
        let parts = key.split(separator: ".")
        return parts[0] == "stages" ? Int(parts[1])! + 1 : parts[0] == "norm" ? stages.count : 0
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor { norm(stages.reduce(stem(x)) { $1($0) }).relu().globalAveragePool() }

    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        var x = stem(x)
        for (name, stage) in zip(layerNames, [nil] + stages.map(Optional.some)) {
            if let stage { x = stage(x) }
            if layers.contains(name) { found[name] = x }
        }
        return found
    }

    final class Stem: Layer {
        let conv: Conv2d
        private let pools: Bool

        init(_ width: Int, _ stem: ResNet.Stem) {
            pools = stem == .imagenet
            conv = standardized(3, width, kernel: pools ? 7 : 3, stride: pools ? 2 : 1)
        }

        /// The border of the pooling is 0, not −∞, as BiT was trained.
        override func callAsFunction(_ x: Tensor) -> Tensor {
            pools ? conv(x).padded(1).maxPool2d(3, stride: 2) : conv(x)
        }
    }

    final class Stage: Layer {
        let blocks: [PreActivationBottleneck]

        init(_ blocks: [PreActivationBottleneck]) { self.blocks = blocks }

        override func callAsFunction(_ x: Tensor) -> Tensor { blocks.reduce(x) { $1($0) } }
    }
}

/// Normalisation and ReLU before each of 1×1, 3×3 and 1×1; the shortcut branches off after the first of them.
final class PreActivationBottleneck: Layer {
    let downsample: Shortcut?
    let norm1: GroupNorm
    let conv1: Conv2d
    let norm2: GroupNorm
    let conv2: Conv2d
    let norm3: GroupNorm
    let conv3: Conv2d

    init(_ inputs: Int, _ outputs: Int, stride: Int, projects: Bool) {
        let inner = outputs / 4
        downsample = projects ? Shortcut(inputs, outputs, stride: stride) : nil
        norm1 = groupNorm(inputs)
        conv1 = standardized(inputs, inner, kernel: 1)
        norm2 = groupNorm(inner)
        conv2 = standardized(inner, inner, kernel: 3, stride: stride)
        norm3 = groupNorm(inner)
        conv3 = standardized(inner, outputs, kernel: 1)
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        let active = norm1(x).relu()
        let branch = conv3(norm3(conv2(norm2(conv1(active)).relu())).relu())
        return branch + (downsample?(active) ?? x)
    }

    final class Shortcut: Layer {
        let conv: Conv2d

        init(_ inputs: Int, _ outputs: Int, stride: Int) { conv = standardized(inputs, outputs, kernel: 1, stride: stride) }

        override func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }
    }
}

/// ε is timm's for BiT.
private func standardized(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1) -> Conv2d {
    Conv2d(
        inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, bias: false, standardizesWeight: true,
        standardizationEpsilon: 1e-8, kaimingFanOut: true)
}

private func groupNorm(_ channels: Int) -> GroupNorm {
    GroupNorm((1...min(32, channels)).last { channels % $0 == 0 }!, channels)
}
