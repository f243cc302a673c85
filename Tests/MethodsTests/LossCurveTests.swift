import Backbones
import Testing
import Torch

@testable import Methods

/// What is fast must train as what is plain does: ResNets on Fovea's layers (Winograd's convolutions, fused normalisations, results
/// computed again) against libtorch's operations one by one, in float64 and in float32, over steps of SGD on NT-Xent.
@Suite struct LossCurveTests {
    /// A ResNet as its paper writes it, on leaves of one type.
    private final class PlainResNet {
        var weights: [String: Tensor]
        var speeds: [String: Tensor] = [:]
        let type: DataType
        let stem: ResNet.Stem

        init(_ network: Backbone, stem: ResNet.Stem, _ type: DataType) {
            (self.type, self.stem) = (type, stem)
            weights = network.stateDict.mapValues { $0.to(type).contiguous().cloned() }
            for (key, tensor) in weights where key.hasSuffix("weight") || key.hasSuffix("bias") { tensor.requiresGradient = true }
        }

        private func normalized(_ x: Tensor, _ key: String) -> Tensor {
            func value(_ name: String) -> Tensor { weights["\(key).\(name)"]! }
            return Operation("batch_norm")(
                x, value("weight"), value("bias"), value("running_mean"), value("running_var"), true, 0.1, 1e-5, false)
        }

        private func block(_ x: Tensor, _ key: String, stride: Int) -> Tensor {
            let isBottleneck = weights["\(key).conv3.weight"] != nil
            var y = x
            let last = isBottleneck ? 3 : 2
            for index in 1...last {
                let kernel = weights["\(key).conv\(index).weight"]!
                let strides = index == (isBottleneck ? 2 : 1) ? stride : 1
                y = normalized(y.conv2d(kernel, stride: strides, padding: kernel.shape[2] / 2), "\(key).bn\(index)")
                if index < last { y = y.relu() }
            }
            let shortcut = weights["\(key).downsample.0.weight"].map {
                normalized(x.conv2d($0, stride: stride, padding: 0), "\(key).downsample.1")
            }
            return (y + (shortcut ?? x)).relu()
        }

        func callAsFunction(_ x: Tensor) -> Tensor {
            let (stride, padding) = stem == .small ? (1, 1) : (2, 3)
            var y = normalized(x.to(type).conv2d(weights["conv1.weight"]!, stride: stride, padding: padding), "bn1").relu()
            if stem == .imagenet { y = y.maxPool2d(3, stride: 2, padding: 1) }
            for stage in 1...4 {
                var position = 0
                while weights["layer\(stage).\(position).conv1.weight"] != nil {
                    y = block(y, "layer\(stage).\(position)", stride: stage > 1 && position == 0 ? 2 : 1)
                    position += 1
                }
            }
            return y.mean(2, 3)
        }

        func step(learningRate: Double) {
            withoutGradients {
                for (key, tensor) in weights {
                    guard let gradient = tensor.gradient else { continue }
                    speeds[key] = (speeds[key] ?? .zeros(tensor.shape, type)) * 0.9 + gradient
                    tensor.copyInPlace(tensor - speeds[key]! * learningRate)
                    tensor.gradient = nil
                }
            }
        }
    }

    @Test(arguments: [("resnet18", ResNet.Stem.small, 32), ("resnet50", .imagenet, 64)])
    func fastDrawsThePlainCurve(name: String, stem: ResNet.Stem, side: Int) throws {
        Runtime.seed(21)
        let network = try BackboneRegistry.make(BackboneSettings(name, width: 16, stem: stem), imageSize: side)
        let (exact, plain) = (PlainResNet(network, stem: stem, .float64), PlainResNet(network, stem: stem, .float32))
        let optimizer = SGD(network.parameterGroups(weightDecay: 0), momentum: 0.9)
        // The same batch again and again: the loss falls steadily, and rounding is not blown up from step to step.
        let images = Tensor.randn([16, 3, 8, 8])
        let batch = Tensor.concatenated(
            (0..<2).map { _ in
                Operation("upsample_bilinear2d", "vec")(images + Tensor.randn(images.shape) * 0.3, [side, side], false, nil as Tensor?)
            }
        ).contiguous(.channelsLast)
        func loss(_ h: Tensor) -> Tensor { ContrastiveLoss.ntXent(h, temperature: 0.2) }
        var curves: [[Double]] = [[], [], []]
        for _ in 0..<8 {
            let losses = [loss(network(batch)), loss(exact(batch)), loss(plain(batch))]
            for (index, value) in losses.enumerated() {
                value.backward()
                curves[index].append(value.item)
            }
            optimizer.step(learningRate: 0.02)
            optimizer.clearGradients()
            exact.step(learningRate: 0.02)
            plain.step(learningRate: 0.02)
        }
        func distance(_ curve: [Double]) -> Double { zip(curve, curves[1]).map { abs($0 - $1) }.max()! }
        #expect(curves[1].max()! - curves[1].min()! > 0.1, "a curve that moves")
        #expect(distance(curves[0]) < max(1e-4, 4 * distance(curves[2])), "\(curves)")
    }
}
