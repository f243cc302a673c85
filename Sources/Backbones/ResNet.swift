public import Torch

/// Residual networks (He et al. 2016, arXiv:1512.03385), as torchvision has them: stride in the 3×3 convolution of a
/// bottleneck ("v1.5"), keys equal to torchvision's without `fc`.
///
/// Deviations, by setting: the small-image stem of the CIFAR literature (3×3 convolution, stride 1, no pooling; SimCLR
/// appendix B.9), layer or group normalisation, other channels than red, green and blue, and any first-stage width (64 is
/// torchvision's; 128 and 256 are SimCLR's 2× and 4×: every convolution is that much wider).
///
/// With selective kernels (``SelectiveKernel``) and as ResNet-D (He et al. 2019, arXiv:1812.01187: three 3×3 convolutions in place of
/// the 7×7 one, shortcuts that average before their 1×1 convolution) it is timm's `skresnet`, or SimCLRv2's.
public final class ResNet: Backbone {
    public enum Stem: String, Codable, Sendable, CaseIterable {
        /// 7×7, stride 2, and 3×3 max-pooling, stride 2.
        case imagenet
        /// 3×3, stride 1.
        case small
    }

    public enum Norm: String, Codable, Sendable, CaseIterable {
        case batch
        /// Over all channels and places of an image: what a network needs whose loss batch statistics would give away (CPC v2).
        case layer

        /// Over 16 groups of channels (fewer where 16 does not divide them), with standardised weights: BYOL without batch statistics
        /// (Richemond et al. 2020, arXiv:2010.10241).
        case group

        func make(_ channels: Int) -> Layer {
            switch self {
            case .batch: BatchNorm(channels)
            case .layer: GroupNorm(1, channels)
            case .group: GroupNorm([16, 8, 4, 2].first { channels.isMultiple(of: $0) && channels > $0 } ?? 1, channels)
            }
        }

        var standardizesWeights: Bool { self == .group }

        /// A convolution that this follows: without bias, of the input's size (over its stride).
        func convolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1) -> Conv2d {
            Conv2d(
                inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2 * dilation, dilation: dilation, bias: false,
                standardizesWeight: standardizesWeights, kaimingFanOut: true)
        }
    }

    enum Block {
        case basic
        case bottleneck
        case selectiveBasic
        case selectiveBottleneck
        /// SimCLRv2's.
        case wholeSelectiveBottleneck

        var isSelective: Bool { self != .basic && self != .bottleneck }
        var expansion: Int { self == .basic || self == .selectiveBasic ? 1 : 4 }
    }

    /// A convolution, or ResNet-D's three.
    let conv1: Layer
    let bn1: Layer
    let layer1: Sequential
    let layer2: Sequential
    let layer3: Sequential
    let layer4: Sequential

    private let stem: Stem
    private let width: Int

    /// - Parameters:
    ///   - blocks: blocks of each of the four stages.
    ///   - width: channels of the first stage.
    ///   - bottleneckFactor: of the inner channels of bottlenecks (wide ResNets: 2).
    ///   - inputs: channels of the images.
    ///   - isD: as ResNet-D; with the small stem its first convolution has stride 1.
    ///   - zeroInitResidual: starts every residual branch at zero (Goyal et al. 2017).
    init(
        _ block: Block, blocks: [Int], width: Int, bottleneckFactor: Int = 1, inputs colours: Int = 3, norm: Norm = .batch, stem: Stem,
        isD: Bool = false, zeroInitResidual: Bool
    ) {
        self.stem = stem
        self.width = 8 * width * block.expansion
        let stride = stem == .imagenet ? 2 : 1
        if isD {
            let half = Swift.max(1, width / 2)
            conv1 = Sequential(
                norm.convolution(colours, half, kernel: 3, stride: stride), norm.make(half), Activation.relu,
                norm.convolution(half, half, kernel: 3), norm.make(half), Activation.relu, norm.convolution(half, width, kernel: 3))
        } else {
            conv1 = norm.convolution(colours, width, kernel: stem == .imagenet ? 7 : 3, stride: stride)
        }
        bn1 = norm.make(width)
        var inputs = width
        func stage(_ index: Int) -> Sequential {
            let channels = width << index
            let layers = (0..<blocks[index]).map { position -> Layer in
                let stride = position == 0 && index > 0 ? 2 : 1
                defer { inputs = channels * block.expansion }
                switch block {
                case .basic: return BasicBlock(inputs, channels, stride: stride, norm: norm, zeroInit: zeroInitResidual)
                case .bottleneck:
                    return Bottleneck(
                        inputs, channels, factor: bottleneckFactor, stride: stride, norm: norm, zeroInit: zeroInitResidual)
                case .selectiveBasic:
                    return SelectiveBasicBlock(inputs, channels, stride: stride, norm: norm, isD: isD, zeroInit: zeroInitResidual)
                case .selectiveBottleneck, .wholeSelectiveBottleneck:
                    return SelectiveBottleneck(
                        inputs, channels, stride: stride, form: block == .selectiveBottleneck ? .halves : .whole, norm: norm, isD: isD,
                        zeroInit: zeroInitResidual)
                }
            }
            return Sequential(layers)
        }
        layer1 = stage(0)
        layer2 = stage(1)
        layer3 = stage(2)
        layer4 = stage(3)
    }

    public override var outputWidth: Int { width }
    public override var layerNames: [String] { ["stem", "layer1", "layer2", "layer3", "layer4"] }

    public override var attributionLayer: String? { "layer4" }

    /// The stem and the four stages.
    public override var depthCount: Int { 5 }
    public override func depth(ofParameter key: String) -> Int {
        1 + (stages.firstIndex { key.hasPrefix("\($0.name).") } ?? -1)
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        stages.reduce(beforeStages(x)) { $1.stage($0) }.globalAveragePool()
    }

    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        var x = beforeStages(x)
        if layers.contains("stem") { found["stem"] = x }
        for (name, stage) in stages {
            x = stage(x)
            if layers.contains(name) { found[name] = x }
        }
        return found
    }

    private var stages: [(name: String, stage: Sequential)] {
        [("layer1", layer1), ("layer2", layer2), ("layer3", layer3), ("layer4", layer4)]
    }

    private func beforeStages(_ x: Tensor) -> Tensor {
        var (x, last) = (x, conv1)
        if let three = (conv1 as? Sequential)?.layers {
            x = x.convolved(byAny: (three[0] as! Conv2d, three[1]), (three[3] as! Conv2d, three[4]))
            last = three[6]
        }
        let convolution = last as! Conv2d
        guard stem == .imagenet else { return x.convolved(byAny: (convolution, bn1)) }
        if let norm = bn1 as? BatchNorm { return x.convolved(by: convolution, norm, maxPool: 3, stride: 2, padding: 1) }
        return x.convolved(byAny: (convolution, bn1)).maxPool2d(3, stride: 2, padding: 1)
    }
}

/// Two 3×3 convolutions and the shortcut.
final class BasicBlock: Layer {
    let conv1: Conv2d
    let bn1: Layer
    let conv2: Conv2d
    let bn2: Layer
    let downsample: Projection?

    init(_ inputs: Int, _ channels: Int, stride: Int, norm: ResNet.Norm, zeroInit: Bool) {
        conv1 = norm.convolution(inputs, channels, kernel: 3, stride: stride)
        bn1 = norm.make(channels)
        conv2 = norm.convolution(channels, channels, kernel: 3)
        bn2 = norm.make(channels)
        downsample = shortcut(inputs, channels, stride: stride, norm)
        if zeroInit { startAtZero(bn2) }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        x.convolved(byAny: (conv1, bn1), (conv2, bn2), adding: downsample?(x) ?? x)
    }
}

/// 1×1, 3×3, 1×1 (four times as wide) and the shortcut.
final class Bottleneck: Layer {
    let conv1: Conv2d
    let bn1: Layer
    let conv2: Conv2d
    let bn2: Layer
    let conv3: Conv2d
    let bn3: Layer
    let downsample: Projection?

    init(_ inputs: Int, _ channels: Int, factor: Int, stride: Int, norm: ResNet.Norm, zeroInit: Bool) {
        let inner = channels * factor
        conv1 = norm.convolution(inputs, inner, kernel: 1)
        bn1 = norm.make(inner)
        conv2 = norm.convolution(inner, inner, kernel: 3, stride: stride)
        bn2 = norm.make(inner)
        conv3 = norm.convolution(inner, channels * 4, kernel: 1)
        bn3 = norm.make(channels * 4)
        downsample = shortcut(inputs, channels * 4, stride: stride, norm)
        if zeroInit { startAtZero(bn3) }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        x.convolved(byAny: (conv1, bn1), (conv2, bn2), (conv3, bn3), adding: downsample?(x) ?? x)
    }
}

private func shortcut(_ inputs: Int, _ outputs: Int, stride: Int, _ norm: ResNet.Norm) -> Projection? {
    stride == 1 && inputs == outputs ? nil : Projection(inputs, outputs, stride: stride, norm: norm)
}

func startAtZero(_ norm: Layer) {
    (norm as? BatchNorm)?.startAtZero()
    if let norm = norm as? GroupNorm { withoutGradients { norm.weight.value.zeroInPlace() } }
}

/// The shortcut's 1×1 convolution where shapes change; its keys are `0` and `1`, as torchvision has them.
final class Projection: Layer {
    private let convolution: Conv2d
    private let norm: Layer

    init(_ inputs: Int, _ outputs: Int, stride: Int, norm: ResNet.Norm) {
        convolution = norm.convolution(inputs, outputs, kernel: 1, stride: stride)
        self.norm = norm.make(outputs)
    }

    override var children: [(key: String, child: Module)] { [("0", convolution), ("1", norm)] }

    override func callAsFunction(_ x: Tensor) -> Tensor { x.convolved(byAny: (convolution, norm), relu: false) }
}
