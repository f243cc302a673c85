import TestSupport
import Testing
import Torch

@testable import Backbones

@Suite struct ResNetTests {
    private func network(_ name: String = "resnet18", width: Int = 8, stem: ResNet.Stem = .small, zero: Bool = false) throws -> ResNet {
        let settings = BackboneSettings(name, width: width, stem: stem, zeroInitResidual: zero)
        return try #require(try BackboneRegistry.make(settings, imageSize: 32) as? ResNet)
    }

    /// SimCLR's 2× network, and one for small machines: every convolution is wider or narrower by the same factor.
    @Test(arguments: [("resnet18", 16), ("resnet18", 128), ("resnet50", 16), ("resnet50", 128)])
    func everyConvolutionFollowsTheWidth(_ name: String, _ width: Int) throws {
        let published = try network(name, width: 64).stateDict
        let net = try network(name, width: width)
        #expect(net.outputWidth == (name == "resnet18" ? 8 : 32) * width)
        for (key, tensor) in net.stateDict {
            var expected = try #require(published[key]).shape
            for dimension in expected.indices.prefix(2) where !(key == "conv1.weight" && dimension == 1) {
                expected[dimension] = expected[dimension] * width / 64
            }
            #expect(tensor.shape == expected, "\(key)")
        }
        #expect(withoutGradients { net(.randn([2, 3, 32, 32])) }.shape == [2, net.outputWidth])
    }

    @Test func stemFollowsTheImageSizeUnlessItIsSaid() throws {
        func kernel(_ stem: ResNet.Stem?, _ size: Int) throws -> Int {
            try #require(BackboneRegistry.make(.init("resnet18", width: 8, stem: stem), imageSize: size).stateDict["conv1.weight"]).size(2)
        }
        #expect(try kernel(nil, 32) == 3)
        #expect(try kernel(nil, 64) == 3)
        #expect(try kernel(nil, 65) == 7)
        #expect(try kernel(.imagenet, 32) == 7)
        #expect(try kernel(.small, 224) == 3)
    }

    /// Every block is then its shortcut, so that the blocks without a projection pass their input on.
    @Test(arguments: ["resnet18", "resnet50"]) func zeroInitResidualBeginsAsTheShortcut(_ name: String) throws {
        let net = try network(name, zero: true)
        let last = name == "resnet18" ? "bn2.weight" : "bn3.weight"
        for (key, parameter) in net.namedParameters where key.hasSuffix(".weight") && key.contains("bn") {
            let isZero = key.hasPrefix("layer") && key.hasSuffix(last)
            #expect(parameter.value.doubles.allSatisfy { $0 == (isZero ? 0 : 1) }, "\(key)")
        }
        net.eval()
        let x = Tensor.rand([2, name == "resnet18" ? 8 : 32, 8, 8])
        expectClose(net.layer1.layers[1](x), x, .exact)
        let plain = try network(name)
        #expect(plain.namedParameters.filter { $0.key.hasSuffix(last) }.allSatisfy { $0.parameter.value.min().item == 1 })
    }

    @Test func featuresOfNamedLayers() throws {
        let net = try network()
        net.eval()
        let x = Tensor.randn([2, 3, 32, 32])
        let names = net.layerNames
        #expect(names == ["stem", "layer1", "layer2", "layer3", "layer4"])
        try withoutGradients {
            let all = net.features(x, at: Set(names))
            let shapes = [
                "stem": [2, 8, 32, 32], "layer1": [2, 8, 32, 32], "layer2": [2, 16, 16, 16], "layer3": [2, 32, 8, 8],
                "layer4": [2, 64, 4, 4],
            ]
            #expect(all.mapValues(\.shape) == shapes)
            expectSame(try #require(all["layer4"]).globalAveragePool(), net(x))
            // Each as if it were the last: nothing later has written over it.
            let stem = x.convolved(byAny: (net.conv1 as! Conv2d, net.bn1))
            expectClose(stem, net.bn1(net.conv1(x)).relu(), .float32)
            expectSame(try #require(all["stem"]), stem)
            var before = stem
            for (name, stage) in zip(names.dropFirst(), [net.layer1, net.layer2, net.layer3, net.layer4]) {
                before = stage(before.cloned())
                expectSame(try #require(all[name]), before, "\(name)")
            }
            #expect(Set(net.features(x, at: ["layer2"]).keys) == ["layer2"])
            #expect(net.features(x, at: []).isEmpty)
        }
        let large = try network(stem: .imagenet)
        #expect(withoutGradients { large.features(x, at: ["stem"]) }["stem"]?.shape == [2, 8, 8, 8])
    }

    @Test func seedDecidesOnTheWeights() throws {
        func weights(_ seed: UInt64) throws -> [UInt8] {
            Runtime.seed(seed)
            return try network().stateDict.sorted { $0.key < $1.key }.flatMap(\.value.bytes)
        }
        let first = try weights(5)
        #expect(try weights(5) == first)
        #expect(try weights(6) != first)
    }

    /// He's fan-out initialisation, as torchvision's.
    @Test func convolutionsBeginAsTorchvisions() throws {
        Runtime.seed(1)
        let net = try network(width: 64, stem: .imagenet)
        for (key, parameter) in net.namedParameters where parameter.value.rank == 4 {
            let shape = parameter.value.shape
            let deviation = (2 / Double(shape[0] * shape[2] * shape[3])).squareRoot()
            let found = parameter.value.squared().mean().item.squareRoot()
            #expect((found / deviation - 1).magnitude < 0.03, "\(key): \(found) for \(deviation)")
        }
    }

    @Test func refusals() throws {
        func message(_ settings: BackboneSettings) -> String {
            do throws(BackboneError) {
                _ = try BackboneRegistry.make(settings, imageSize: 32)
                return ""
            } catch { return error.description }
        }
        #expect(message(.init("resnet181")) == "no backbone is named 'resnet181' (did you mean 'resnet101'?); `fovea backbones` lists them")
        #expect(message(.init("transformer")) == "no backbone is named 'transformer'; `fovea backbones` lists them")
        #expect(message(.init("resnet18", width: 0)) == "backbone.width must be between 1 and 4096, not 0")
        #expect(message(.init("resnet18", width: 5000)).contains("not 5000"))
    }
}
