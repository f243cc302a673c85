import TestSupport
import Testing
import Torch

@testable import Backbones

/// Serialized: one test counts all memory of the process.
@Suite(.serialized) struct RevNetTests {
    private func network(_ blocks: [Int] = [3, 4, 6, 3], width: Int = 8, reverses: Bool = true) -> RevNet {
        Runtime.seed(4)
        let net = RevNet(blocks: blocks, width: width, stem: .small)
        for stage in [net.layer1, net.layer2, net.layer3, net.layer4] { stage.isReversing = reverses }
        return net
    }

    private func gradients(_ net: RevNet, _ x: Tensor, _ cotangent: Tensor) -> [String: Tensor] {
        x.gradient = nil
        x.requiresGradient = true
        (net(x) * cotangent).sum().backward()
        var found = ["input": x.gradient!]
        for (key, parameter) in net.namedParameters { found[key] = parameter.value.gradient }
        for (key, buffer) in net.namedBuffers { found[key] = buffer.value }
        return found
    }

    /// The gradient that the graph gives when it keeps everything, and running statistics that move once.
    @Test func gradientIsThatOfTheWholeGraph() throws {
        let (reversing, keeping) = (network(), network(reverses: false))
        try keeping.load(reversing.stateDict)
        for net in [reversing, keeping] { net.convert(to: .float64) }
        let x = Tensor.randn([5, 3, 20, 28], .float64).contiguous(.channelsLast)
        let cotangent = Tensor.randn([5, 256], .float64)
        for pass in 0..<2 {
            let (a, b) = (gradients(reversing, x.cloned(), cotangent), gradients(keeping, x.cloned(), cotangent))
            #expect(a.count == 1 + reversing.stateDict.count && Set(a.keys) == Set(b.keys))
            for (key, value) in b {
                let scale = value.to(.float64).abs().max().item
                expectClose(try #require(a[key]), value, Tolerance(relative: 0, absolute: 1e-9 * max(scale, 1e-6)), "pass \(pass) \(key)")
            }
        }
        #expect(reversing.namedBuffers.filter { $0.key.hasSuffix("tracked") }.allSatisfy { $0.buffer.value.ints == [2] })
        // Also of networks that stand still in part, and of those whose mode changes before the gradient is asked for.
        reversing.layer2.setTrainable(false)
        reversing.clearGradients()
        keeping.clearGradients()
        let outputs = [reversing, keeping].map { net in net.evaluating { net(x.detached()) } }
        for output in outputs { (output * cotangent).sum().backward() }
        for ((key, a), (_, b)) in zip(reversing.namedParameters, keeping.namedParameters) {
            guard !key.hasPrefix("layer2.") else {
                #expect(a.value.gradient == nil)
                continue
            }
            let expected = try #require(b.value.gradient)
            let tolerance = Tolerance(relative: 0, absolute: 1e-9 * max(expected.abs().max().item, 1e-6))
            expectClose(try #require(a.value.gradient), expected, tolerance, "\(key)")
        }
    }

    /// In float32 what is computed back is off by rounding, and no more.
    @Test func rounding() throws {
        let (reversing, keeping) = (network(), network(reverses: false))
        try keeping.load(reversing.stateDict)
        let x = Tensor.randn([8, 3, 32, 32]).contiguous(.channelsLast)
        let cotangent = Tensor.randn([8, 256])
        let (a, b) = (gradients(reversing, x.cloned(), cotangent), gradients(keeping, x.cloned(), cotangent))
        for (key, value) in b where !key.hasSuffix("tracked") {
            let error = (a[key]! - value).norm().item
            #expect(error <= 1e-3 * value.norm().item + 1e-5, "\(key): \(error) of \(value.norm().item)")
        }
    }

    /// Bytes of large tensors that wait for a gradient, of one forward pass.
    private func waiting(_ net: Backbone, _ x: Tensor) -> Int {
        Runtime.prepare()
        let before = Runtime.largeTensorMemory.inUse
        let output = net(x)
        let after = Runtime.largeTensorMemory.inUse
        withExtendedLifetime(output) {}
        return after - before
    }

    /// Of twice the blocks the graph keeps no more, where the others keep more.
    @Test func memoryDoesNotGrowWithDepth() throws {
        let x = Tensor.randn([16, 3, 64, 64]).contiguous(.channelsLast)
        // Convolutions keep memory to work in from their first call on.
        _ = waiting(network([2, 2, 2, 2]), x)
        let shallow = waiting(network([2, 2, 2, 2]), x)
        let deep = waiting(network([6, 6, 6, 6]), x)
        let kept = [waiting(network([2, 2, 2, 2], reverses: false), x), waiting(network([6, 6, 6, 6], reverses: false), x)]
        #expect(shallow > 0 && deep == shallow, "\(shallow) and \(deep) bytes")
        #expect(kept[1] > 2 * kept[0] && kept[1] > 3 * deep, "\(kept) bytes kept, \(deep) when reversing")
        let resNet = waiting(try BackboneRegistry.make(.init("resnet50", width: 8, stem: .small), imageSize: 64), x)
        let revNet = waiting(network(), x)
        print("for a gradient of 16 images of 64 pixels at width 8: ResNet-50 \(resNet >> 20) MB, RevNet-50 \(revNet >> 20) MB")
        #expect(resNet > 2 * revNet, "ResNet-50 keeps \(resNet), RevNet-50 \(revNet)")
    }

    @Test func layersAndDepths() throws {
        let net = network(width: 4)
        let x = Tensor.randn([2, 3, 32, 32]).contiguous(.channelsLast)
        let found = withoutGradients { net.features(x, at: Set(net.layerNames)) }
        let shapes = [
            "stem": [2, 16, 32, 32], "layer1": [2, 16, 32, 32], "layer2": [2, 32, 16, 16], "layer3": [2, 64, 8, 8],
            "layer4": [2, 128, 4, 4],
        ]
        #expect(found.mapValues(\.shape) == shapes)
        // A stage undone gives what went in.
        withoutGradients {
            net.eval()
            let before = RevNet.Halves(net.features(x, at: ["stem"])["stem"]!)
            let after = net.layer1(before)
            let back = net.layer1.units.reversed().reduce((after.first, after.second)) { ($0.1 - $1($0.0), $0.0) }
            expectClose(back.0, before.first, Tolerance(relative: 1e-4, absolute: 1e-4))
            expectClose(back.1, before.second, Tolerance(relative: 1e-4, absolute: 1e-4))
        }
        #expect(net.depth(ofParameter: "conv1.weight") == 0 && net.depth(ofParameter: "layer3.5.conv2.weight") == 3)
        #expect(net.depth(ofParameter: "norm.weight") == 4 && net.depthCount == 5)
    }
}
