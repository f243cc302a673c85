public import Torch

/// Residual networks (He et al. 2016, arXiv:1512.03385), as torchvision has them: stride in the 3×3 convolution of a
/// bottleneck ("v1.5"), keys equal to torchvision's without `fc`.
///
/// Deviations, by setting: the small-image stem of the CIFAR literature (3×3 convolution, stride 1, no pooling; SimCLR
/// appendix B.9), and any first-stage width (64 is torchvision's; 128 and 256 are SimCLR's 2× and 4×: every convolution is
/// that much wider).
public final class ResNet: Backbone {
    public enum Stem: String, Codable, Sendable, CaseIterable {
        /// 7×7, stride 2, and 3×3 max-pooling, stride 2.
        case imagenet
        /// 3×3, stride 1.
        case small
    }

    enum Block {
        case basic
        case bottleneck

        var expansion: Int { self == .basic ? 1 : 4 }
    }

    let conv1: Conv2d
    let bn1: BatchNorm
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
    ///   - zeroInitResidual: starts every residual branch at zero (Goyal et al. 2017).
    init(_ block: Block, blocks: [Int], width: Int, bottleneckFactor: Int = 1, stem: Stem, zeroInitResidual: Bool) {
        self.stem = stem
        self.width = 8 * width * block.expansion
        let (kernel, stride, padding) = stem == .imagenet ? (7, 2, 3) : (3, 1, 1)
        conv1 = Conv2d(3, width, kernel: kernel, stride: stride, padding: padding, bias: false, kaimingFanOut: true)
        bn1 = BatchNorm(width)
        var inputs = width
        func stage(_ index: Int) -> Sequential {
            let channels = width << index
            let layers = (0..<blocks[index]).map { position -> Layer in
                let stride = position == 0 && index > 0 ? 2 : 1
                defer { inputs = channels * block.expansion }
                return block == .basic
                    ? BasicBlock(inputs, channels, stride: stride, zeroInit: zeroInitResidual)
                    : Bottleneck(inputs, channels, factor: bottleneckFactor, stride: stride, zeroInit: zeroInitResidual)
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
        let x = x.convolved(by: (conv1, bn1))
        return stem == .imagenet ? x.maxPool2d(3, stride: 2, padding: 1) : x
    }
}

/// Two 3×3 convolutions and the shortcut.
final class BasicBlock: Layer {
    let conv1: Conv2d
    let bn1: BatchNorm
    let conv2: Conv2d
    let bn2: BatchNorm
    let downsample: Projection?

    init(_ inputs: Int, _ channels: Int, stride: Int, zeroInit: Bool) {
        conv1 = Conv2d(inputs, channels, kernel: 3, stride: stride, padding: 1, bias: false, kaimingFanOut: true)
        bn1 = BatchNorm(channels)
        conv2 = Conv2d(channels, channels, kernel: 3, padding: 1, bias: false, kaimingFanOut: true)
        bn2 = BatchNorm(channels)
        downsample = shortcut(inputs, channels, stride: stride)
        if zeroInit { bn2.startAtZero() }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        x.convolved(by: (conv1, bn1), (conv2, bn2), adding: downsample?(x) ?? x)
    }
}

/// 1×1, 3×3, 1×1 (four times as wide) and the shortcut.
final class Bottleneck: Layer {
    let conv1: Conv2d
    let bn1: BatchNorm
    let conv2: Conv2d
    let bn2: BatchNorm
    let conv3: Conv2d
    let bn3: BatchNorm
    let downsample: Projection?

    init(_ inputs: Int, _ channels: Int, factor: Int, stride: Int, zeroInit: Bool) {
        let inner = channels * factor
        conv1 = Conv2d(inputs, inner, kernel: 1, bias: false, kaimingFanOut: true)
        bn1 = BatchNorm(inner)
        conv2 = Conv2d(inner, inner, kernel: 3, stride: stride, padding: 1, bias: false, kaimingFanOut: true)
        bn2 = BatchNorm(inner)
        conv3 = Conv2d(inner, channels * 4, kernel: 1, bias: false, kaimingFanOut: true)
        bn3 = BatchNorm(channels * 4)
        downsample = shortcut(inputs, channels * 4, stride: stride)
        if zeroInit { bn3.startAtZero() }
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        x.convolved(by: (conv1, bn1), (conv2, bn2), (conv3, bn3), adding: downsample?(x) ?? x)
    }
}

private func shortcut(_ inputs: Int, _ outputs: Int, stride: Int) -> Projection? {
    stride == 1 && inputs == outputs ? nil : Projection(inputs, outputs, stride: stride)
}

/// The shortcut's 1×1 convolution where shapes change; its keys are `0` and `1`, as torchvision has them.
final class Projection: Layer {
    private let convolution: Conv2d
    private let norm: BatchNorm

    init(_ inputs: Int, _ outputs: Int, stride: Int) {
        convolution = Conv2d(inputs, outputs, kernel: 1, stride: stride, bias: false, kaimingFanOut: true)
        norm = BatchNorm(outputs)
    }

    override var children: [(key: String, child: Module)] { [("0", convolution), ("1", norm)] }

    override func callAsFunction(_ x: Tensor) -> Tensor { x.convolved(by: (convolution, norm), relu: false) }
}
