import TestSupport
import Testing
import Torch

@testable import Backbones

@Suite struct ResNetV2Tests {
    /// What group normalisation is for: an image's features are the same whatever else is in the batch.
    @Test func noSampleDependsOnAnother() throws {
        Runtime.seed(2)
        let net = try BackboneRegistry.make(BackboneSettings("resnetv2_50", width: 8, stem: .small), imageSize: 32)
        #expect(net.isTraining && net.outputWidth == 256)
        let x = Tensor.randn([6, 3, 32, 32])
        withoutGradients { expectClose(net(x[0..<2]), net(x)[0..<2], .float32) }
        #expect(net.namedBuffers.isEmpty)
    }

    @Test func depthsAreStemAndStages() throws {
        let net = try BackboneRegistry.make(BackboneSettings("resnetv2_50", width: 8), imageSize: 96)
        #expect(net.depthCount == 5)
        for (key, _) in net.namedParameters {
            let stage = (0..<4).first { key.hasPrefix("stages.\($0).") }
            #expect(net.depth(ofParameter: key) == (stage.map { $0 + 1 } ?? (key.hasPrefix("norm.") ? 4 : 0)), "\(key)")
        }
    }

    @Test func featuresOfNamedLayers() throws {
        let net = try BackboneRegistry.make(BackboneSettings("resnetv2_50", width: 8), imageSize: 96)
        let maps = withoutGradients { net.features(.randn([2, 3, 96, 96]), at: Set(net.layerNames)) }
        let shapes = [
            "stem": [2, 8, 24, 24], "layer1": [2, 32, 24, 24], "layer2": [2, 64, 12, 12], "layer3": [2, 128, 6, 6],
            "layer4": [2, 256, 3, 3],
        ]
        #expect(maps.mapValues(\.shape) == shapes)
    }
}
