// A training step of a ResNet (forward, backward, SGD) on one batch in memory against the sum of its convolutions, each timed
// alone at its own shape, forward and backward; and of those that the backward pass computes a second time because their results are
// too large to keep (`is_worth_recomputing` in normalized_convolutions.cpp), the forward pass once more; and against the sum of libtorch's
// convolutions of the same shapes. All are timed in turn, so that a machine that is faster for a while is so for each: the medians of the
// rounds, and of their shares with the lowest and highest. What is timed has run once before. One JSON line.
//
//     step-breakdown [--backbone resnet18] [--size 32] [--views 256] [--repeats 11] [--recompute none]
import Arguments
import Foundation
import Fovea

let arguments = Arguments(
    usage: "step-breakdown [--backbone resnet18|resnet50] [--size 32] [--views 256] [--repeats 11] [--recompute none|large|all]",
    names: ["backbone", "size", "views", "repeats", "recompute"])
let name = arguments.choice("backbone", of: ["resnet18", "resnet50"])
let size = arguments.number("size", default: 32, atLeast: 32)
let views = arguments.number("views", default: 256)
let repeats = arguments.number("repeats", default: 11)
let recomputation = arguments.choice("recompute", default: Recomputation.large)
let small = size <= 64
if size % 32 != 0 { arguments.stop("--size must be a multiple of 32, not \(size)") }

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
func seconds(_ body: () -> Void) -> Double { clock.measure(body) / .seconds(1) }
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

func leaf(_ shape: [Int], needsGradient: Bool) -> Tensor {
    let x = Tensor.randn(shape).contiguous(.channelsLast)
    x.requiresGradient = needsGradient
    return x
}

/// All but the stem before a maximum pooling: of the large ones, large results, and smaller ones of few products for each value.
func recomputed() -> [Shape] {
    convolutions().dropFirst(small ? 0 : 1).filter {
        switch recomputation {
        case .none: false
        case .large:
            $0.megabytes >= 64 || $0.megabytes >= 16 && $0.inputs * $0.kernel * $0.kernel <= ($0.kernel == 1 ? 256 : 128)
        case .all: true
        }
    }
}

/// Forward and backward together.
func libtorchWork(_ shape: Shape) -> () -> Void {
    let x = leaf([views, shape.inputs, shape.side, shape.side], needsGradient: !shape.isFirst)
    let kernel = leaf([shape.outputs, shape.inputs, shape.kernel, shape.kernel], needsGradient: true)
    func convolved() -> Tensor { x.conv2d(kernel, stride: shape.stride, padding: shape.kernel / 2) }
    let slopes = withoutGradients { Tensor.randn(convolved().shape).contiguous(.channelsLast) }
    return {
        convolved().backward(slopes)
        kernel.gradient = nil
        x.gradient = nil
    }
}

/// Forward and backward together, or forward alone.
func work(_ shape: Shape, backward: Bool = true) -> () -> Void {
    let layer = Conv2d(
        shape.inputs, shape.outputs, kernel: shape.kernel, stride: shape.stride, padding: shape.kernel / 2, bias: false)
    let x = leaf([views, shape.inputs, shape.side, shape.side], needsGradient: !shape.isFirst)
    if !backward { return { withoutGradients { _ = layer(x) } } }
    let slopes = withoutGradients { Tensor.randn(layer(x).shape).contiguous(.channelsLast) }
    return {
        layer(x).backward(slopes)
        layer.clearGradients()
        x.gradient = nil
    }
}

/// A work for each distinct shape, and how often the network does it.
func works(_ shapes: [Shape], _ work: (Shape) -> () -> Void) -> [(times: Double, body: () -> Void)] {
    Dictionary(grouping: shapes) { $0 }.map { (Double($1.count), work($0)) }
}

Runtime.prepare()
let network = try BackboneRegistry.make(BackboneSettings(name, stem: small ? .small : .imagenet), imageSize: size)
let optimizer = SGD(network.parameterGroups(weightDecay: 5e-4))
let pictures = leaf([views, 3, size, size], needsGradient: false)
let once = works(convolutions()) { work($0) }
let repeated = works(recomputed()) { work($0, backward: false) }
let libtorch = works(convolutions(), libtorchWork)
/// Each a second time, after all of them once: in training, too, memory of the right sizes is there from the step before, and the caches
/// hold other layers.
func sum(_ works: [(times: Double, body: () -> Void)]) -> Double {
    for work in works { work.body() }
    return works.reduce(0) { $0 + $1.times * seconds($1.body) }
}

let step = {
    Recomputation.$current.withValue(recomputation) { network(pictures) }.squared().mean().backward()
    optimizer.step(learningRate: 1e-3)
    optimizer.clearGradients()
}

// The first round is not counted.
let rounds = (0...repeats).map { _ in
    (
        step: sum([(1, step)]), once: sum(once), again: sum(repeated), libtorch: sum(libtorch)
    )
}.dropFirst()
let shares = rounds.map { $0.once / $0.step }
let libtorchShares = rounds.map { $0.libtorch / $0.step }
let all = rounds.map { ($0.once + $0.again) / $0.step }
print(
    String(
        format: "{\"fovea\": \"step\", \"backbone\": \"%@\", \"size\": %d, \"views\": %d, \"recompute\": \"%@\", \"rounds\": %d, \"step_seconds\": %.3f, \"convolution_seconds\": %.3f, \"recomputed_seconds\": %.3f, \"share\": %.3f, \"share_low\": %.3f, \"share_high\": %.3f, \"share_with_recomputed\": %.3f, \"share_with_recomputed_low\": %.3f, \"share_with_recomputed_high\": %.3f, \"libtorch_convolution_seconds\": %.3f, \"libtorch_share\": %.3f, \"libtorch_share_low\": %.3f, \"libtorch_share_high\": %.3f, \"threads\": %d}",
        name, size, views, recomputation.rawValue, repeats, median(rounds.map(\.step)), median(rounds.map(\.once)), median(rounds.map(\.again)), median(shares),
        shares.min()!, shares.max()!, median(all), all.min()!, all.max()!, median(rounds.map(\.libtorch)),
        median(libtorchShares), libtorchShares.min()!, libtorchShares.max()!, Runtime.threads))
