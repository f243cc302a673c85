import TestSupport
import Testing
import Torch

@testable import Backbones

/// What a recipe's or a method's settings change of a backbone: its norm, its channels, the colours and patches it sees.
@Suite struct VariantsTests {
    private func settings(norm: ResNet.Norm? = nil, channels: [Int]? = nil) -> BackboneSettings {
        var settings = BackboneSettings("resnet18", width: 8, stem: .small)
        (settings.norm, settings.channels) = (norm, channels)
        return settings
    }

    /// The values that every textbook has, of the primary colours, white, black and a grey.
    @Test func labOfKnownColours() {
        let rgb: [[Double]] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [119 / 255.0, 119 / 255.0, 119 / 255.0]]
        let lab: [[Double]] = [
            [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [100, 0, 0], [0, 0, 0], [50.03, 0, 0],
        ]
        let found = ColourSpace.lab(Tensor(rgb.flatMap { $0 }, [6, 3, 1, 1])).reshaped(6, 3)
        expectClose(found, Tensor(lab.flatMap { $0 }, [6, 3]), Tolerance(relative: 0, absolute: 0.02))
        // Of all colours the transform makes −1 … 1.
        let pixels = (Tensor.rand([4, 3, 32, 32]) * 256).to(.uint8)
        #expect(InputTransform.lab(pixels).abs().max().item <= 1.001)
    }

    /// What an image becomes does not depend on its batch, in training as in evaluation; keys are the same but for the statistics.
    @Test func layerNormLeavesBatchesAlone() throws {
        Runtime.seed(3)
        let encoder = try Encoder(settings(norm: .layer), imageSize: 32)
        let pixels = Tensor.rand([4, 3, 32, 32]) * 255
        let whole = withoutGradients { encoder(pixels) }
        withoutGradients {
            expectClose(encoder(pixels[1..<2]), whole[1..<2], Tolerance(relative: 1e-4, absolute: 1e-5))
            encoder.eval()
            expectClose(encoder(pixels), whole, Tolerance(relative: 1e-4, absolute: 1e-5))
        }
        let batch = try Encoder(settings(), imageSize: 32)
        #expect(encoder.namedParameters.map(\.key) == batch.namedParameters.map(\.key))
        #expect(encoder.namedBuffers.isEmpty && difference(withoutGradients { batch(pixels) }, whole, .float32) != nil)
        // Over channels and places, before weight and bias.
        let stem = withoutGradients { encoder.backbone.features(encoder.input(pixels), at: ["stem"])["stem"]! }
        let convolved = withoutGradients { (encoder.backbone as! ResNet).conv1(encoder.input(pixels)) }
        let centred = convolved - convolved.mean(1, 2, 3, keep: true)
        let deviation = (centred.squared().mean(1, 2, 3, keep: true) + 1e-5).sqrt()
        expectClose(stem, (centred / deviation).relu(), Tolerance(relative: 1e-4, absolute: 1e-4))
        var zero = settings(norm: .layer)
        zero.zeroInitResidual = true
        let identity = try Encoder(zero, imageSize: 32)
        withoutGradients {
            let found = identity.backbone.features(identity.input(pixels), at: ["stem", "layer1"])
            expectClose(found["layer1"]!, found["stem"]!, .float32)
        }
    }

    /// 16 groups of the wide stages, and weights of mean 0 and variance 1 for each output.
    @Test func groupNormHasStandardisedWeights() throws {
        Runtime.seed(6)
        var settings = settings(norm: .group)
        settings.width = 32
        let encoder = try Encoder(settings, imageSize: 32)
        let pixels = Tensor.rand([2, 3, 32, 32]) * 255
        withoutGradients {
            let resNet = encoder.backbone as! ResNet
            let weight = (resNet.conv1 as! Conv2d).weight.value
            let centred = weight - weight.mean(1, 2, 3, keep: true)
            let standard = centred / (centred.squared().mean(1, 2, 3, keep: true) + 1e-10).sqrt()
            let convolved = encoder.input(pixels).conv2d(standard, padding: 1).reshaped(2, 16, -1)
            let normal = (convolved - convolved.mean(2, keep: true)) / (convolved.variance(2, correction: 0, keep: true) + 1e-5).sqrt()
            let stem = encoder.backbone.features(encoder.input(pixels), at: ["stem"])["stem"]!
            expectClose(stem, normal.reshaped(2, 32, 32, 32).relu(), Tolerance(relative: 1e-3, absolute: 1e-4))
            // In training as well, what an image becomes does not depend on its batch.
            expectClose(encoder(pixels)[0..<1], encoder(pixels[0..<1]), Tolerance(relative: 1e-3, absolute: 1e-4))
        }
        #expect(encoder.namedBuffers.isEmpty)
    }

    @Test func streamsSeeTheirChannels() throws {
        Runtime.seed(4)
        let encoder = try Encoder(settings(channels: [1, 2]), imageSize: 32, input: .lab)
        #expect(encoder.outputWidth == 64)
        #expect(encoder.stateDict["streams.0.conv1.weight"]?.shape == [4, 1, 3, 3])
        #expect(encoder.stateDict["streams.1.conv1.weight"]?.shape == [4, 2, 3, 3])
        encoder.eval()
        let pixels = Tensor.rand([2, 3, 32, 32]) * 255
        try withoutGradients {
            let (x, h) = (encoder.input(pixels), encoder(pixels))
            let streams = (encoder.backbone as! ParallelBackbone).streams
            expectClose(h.narrowed(1, from: 0, count: 32), streams[0](x.narrowed(1, from: 0, count: 1)), .float32)
            expectClose(h.narrowed(1, from: 32, count: 32), streams[1](x.narrowed(1, from: 1, count: 2)), .float32)
            let map = try #require(encoder.backbone.features(x, at: ["layer4"])["layer4"])
            expectClose(map.globalAveragePool(), h, .float32)
            // What saliency and layer-wise rates go by.
            #expect(encoder.backbone.attributionLayer == "layer4" && encoder.backbone.depthCount == 5)
            #expect(encoder.backbone.depth(ofParameter: "streams.1.layer2.0.conv1.weight") == 2)
            #expect(encoder.backbone.depth(ofParameter: "streams.0.conv1.weight") == 0)
        }
        // The file keeps what the encoder is.
        try withTemporaryFolder { folder in
            try EncoderFile.write(encoder, to: "\(folder)/encoder.safetensors")
            let read = try EncoderFile.read("\(folder)/encoder.safetensors")
            #expect(read.settings == encoder.settings && read.input == .lab)
            withoutGradients { expectSame(read(pixels), encoder(pixels)) }
        }
        for wrong in [[1, 1], [3, 0], [1, 1, 1, 0], []] {
            #expect(throws: BackboneError.self) { try Encoder(settings(channels: wrong), imageSize: 32) }
        }
    }

    @Test func patchesAreSeenOneByOne() throws {
        Runtime.seed(5)
        var input = InputTransform.imagenet
        input.patches = 7
        let encoder = try Encoder(settings(norm: .layer), imageSize: 32, input: input)
        // 35 pixels: patches of 8, the rest is left out.
        let pixels = Tensor.rand([2, 3, 35, 35]) * 255
        withoutGradients {
            let patches = encoder.patches(pixels)
            #expect(patches.shape == [98, 3, 8, 8])
            let whole = encoder.input(pixels)
            for (row, column) in [(0, 0), (3, 6), (6, 1)] {
                expectSame(
                    patches[49 + 7 * row + column], whole[1].narrowed(1, from: 4 * row, count: 8).narrowed(2, from: 4 * column, count: 8))
            }
            expectClose(encoder(pixels), encoder.backbone(patches).reshaped(2, 49, 64).mean(1), .float32)
        }
    }
}
