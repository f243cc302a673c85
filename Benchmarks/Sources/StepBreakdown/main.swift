// A training step of a ResNet (forward, backward, SGD) on one batch in memory against the sum of its convolutions, each timed
// alone at its own shape, forward and backward; and of those that the backward pass computes a second time because their results are
// too large to keep (`large_result` in fused_norm.cpp), the forward pass once more. One JSON line.
//
//     step-breakdown [--backbone resnet18] [--size 32] [--views 256] [--repeats 5]
import Foundation
import Fovea

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: "--\(name)"), place + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[place + 1]
}

let name = option("backbone") ?? "resnet18"
let size = option("size").flatMap { Int($0) } ?? 32
let views = option("views").flatMap { Int($0) } ?? 256
let repeats = option("repeats").flatMap { Int($0) } ?? 5
let small = size <= 64

struct Shape: Hashable {
    var inputs, outputs, kernel, stride, side: Int
    /// A picture's gradient is not needed.
    var isFirst: Bool { inputs == 3 }
    var megabytes: Int { (views * outputs * (side / stride) * (side / stride) * 4) >> 20 }
}

/// The convolutions of torchvision's ResNet-18 or ResNet-50.
func convolutions() -> [Shape] {
    let bottleneck = name == "resnet50"
    var side = size
    var shapes = [Shape(inputs: 3, outputs: 64, kernel: small ? 3 : 7, stride: small ? 1 : 2, side: side)]
    if !small { side /= 4 }
    var inputs = 64
    let blockCounts = bottleneck ? [3, 4, 6, 3] : [2, 2, 2, 2]
    for (stage, blocks) in blockCounts.enumerated() {
        let channels = 64 << stage
        let outputs = bottleneck ? 4 * channels : channels
        for block in 0..<blocks {
            let stride = block == 0 && stage > 0 ? 2 : 1
            if stride != 1 || inputs != outputs { shapes.append(Shape(inputs: inputs, outputs: outputs, kernel: 1, stride: stride, side: side)) }
            if bottleneck {
                shapes.append(Shape(inputs: inputs, outputs: channels, kernel: 1, stride: 1, side: side))
                shapes.append(Shape(inputs: channels, outputs: channels, kernel: 3, stride: stride, side: side))
                shapes.append(Shape(inputs: channels, outputs: outputs, kernel: 1, stride: 1, side: side / stride))
            } else {
                shapes.append(Shape(inputs: inputs, outputs: channels, kernel: 3, stride: stride, side: side))
                shapes.append(Shape(inputs: channels, outputs: channels, kernel: 3, stride: 1, side: side / stride))
            }
            side /= stride
            inputs = outputs
        }
    }
    return shapes
}

let clock = ContinuousClock()
/// The median of the repeats, after one that is not counted.
func seconds(_ body: () -> Void) -> Double {
    body()
    return (0..<repeats).map { _ in clock.measure(body) / .seconds(1) }.sorted()[repeats / 2]
}

func leaf(_ shape: [Int], needsGradient: Bool) -> Tensor {
    let x = Tensor.randn(shape).contiguous(.channelsLast)
    x.requiresGradient = needsGradient
    return x
}

/// The last of a residual block, and in a block of two with it the first.
func recomputed() -> [Shape] {
    if name == "resnet50" {
        // The first shortcut looks like the block's last.
        return convolutions().dropFirst(2).filter { $0.kernel == 1 && $0.outputs == 4 * $0.inputs && $0.stride == 1 && $0.megabytes >= 32 }
    }
    let pairs = convolutions().dropFirst().filter { $0.kernel == 3 }
    return stride(from: 0, to: pairs.count, by: 2).flatMap { place -> [Shape] in
        let (first, last) = (pairs[place], pairs[place + 1])
        return first.megabytes >= 64 ? [first, last] : last.megabytes >= 32 ? [last] : []
    }
}

/// Forward and backward together, or forward alone.
func time(_ shape: Shape, backward: Bool = true) -> Double {
    let layer = Conv2d(
        shape.inputs, shape.outputs, kernel: shape.kernel, stride: shape.stride, padding: shape.kernel / 2, bias: false)
    let x = leaf([views, shape.inputs, shape.side, shape.side], needsGradient: !shape.isFirst)
    let slopes = withoutGradients { Tensor.randn(layer(x).shape).contiguous(.channelsLast) }
    if !backward { return withoutGradients { seconds { _ = layer(x) } } }
    return seconds {
        layer(x).backward(slopes)
        layer.clearGradients()
        x.gradient = nil
    }
}

Runtime.prepare()
let network = try BackboneRegistry.make(BackboneSettings(name, stem: small ? .small : .imagenet), imageSize: size)
let optimizer = SGD(network.parameterGroups(weightDecay: 5e-4))
let pictures = leaf([views, 3, size, size], needsGradient: false)
let step = seconds {
    network(pictures).squared().mean().backward()
    optimizer.step(learningRate: 1e-3)
    optimizer.clearGradients()
}
var times: [Shape: Double] = [:]
let shapes = convolutions()
for shape in Set(shapes) { times[shape] = time(shape) }
let sum = shapes.reduce(0) { $0 + times[$1]! }
let twice = recomputed()
let again = Dictionary(uniqueKeysWithValues: Set(twice).map { ($0, time($0, backward: false)) })
let secondTime = twice.reduce(0) { $0 + again[$1]! }
print(
    String(
        format: "{\"fovea\": \"step\", \"backbone\": \"%@\", \"size\": %d, \"views\": %d, \"step_seconds\": %.3f, \"convolution_seconds\": %.3f, \"share\": %.3f, \"recomputed_seconds\": %.3f, \"share_with_recomputed\": %.3f, \"threads\": %d}",
        name, size, views, step, sum, sum / step, secondTime, (sum + secondTime) / step, Runtime.threads))
