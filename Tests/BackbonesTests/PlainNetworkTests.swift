import TestSupport
import Testing
import Torch

@testable import Backbones

@Suite struct PlainNetworkTests {
    /// Where torchvision's maps are before pooling, and the outputs of the fully connected layers.
    @Test func layersAreThoseOfTheReference() throws {
        let values = try ReferenceValues.load("plain_networks")
        for (name, width, input) in [("alexnet", 64, [2, 3, 227, 227]), ("vgg19", 16, [4, 3, 64, 96])] {
            let net = try BackboneRegistry.make(.init(name, width: width, stem: .imagenet), imageSize: 224)
            try Formula.fill(net)
            net.eval()
            #expect(net.layerNames == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"])
            let x = Formula.tensor("\(name).input", input, scale: 2).contiguous(.channelsLast)
            let found = withoutGradients { net.features(x, at: Set(net.layerNames)) }
            for index in 0..<5 {
                let all = try #require(found["conv\(index + 1)"]).flattened()
                let expected = values["\(name).map.\(index)"].doubles
                #expect((all.norm().item / expected[0] - 1).magnitude < 1e-5, "\(name) conv\(index + 1)")
                let scale = expected[0] / Double(all.count).squareRoot()
                for (a, b) in zip(all[0..<6].doubles, expected.dropFirst()) { #expect((a - b).magnitude < 1e-4 * scale) }
            }
            #expect(found["fc6"]?.shape == [input[0], 64 * width])
            withoutGradients { expectSame(try! #require(found["fc7"]), net(x)) }
            #expect(withoutGradients { net.features(x, at: ["conv2"]) }.keys.sorted() == ["conv2"])
        }
    }

    /// α is not divided by the number of channels, as PyTorch does: with values this large it shows.
    @Test func responsesAreNormalisedByTheSumOverFiveChannels() {
        Runtime.seed(2)
        let x = Tensor.randn([3, 9, 4, 5], .float64) * 40
        let values = x.doubles
        func value(_ image: Int, _ channel: Int, _ place: Int) -> Double { values[(image * 9 + channel) * 20 + place] }
        func expected(_ alpha: Double) -> Tensor {
            var all: [Double] = []
            for image in 0..<3 {
                for channel in 0..<9 {
                    for place in 0..<20 {
                        let sum = (max(0, channel - 2)...min(8, channel + 2)).reduce(0.0) {
                            $0 + value(image, $1, place) * value(image, $1, place)
                        }
                        let root = (2 + alpha * sum).squareRoot()
                        all.append(value(image, channel, place) / (root * root.squareRoot()))
                    }
                }
            }
            return Tensor(all, [3, 9, 4, 5])
        }
        let found = LocalResponseNorm()(x)
        expectClose(found, expected(1e-4), Tolerance(relative: 1e-12, absolute: 0))
        #expect(difference(found, expected(1e-4 / 5), Tolerance(relative: 1e-3, absolute: 0)) != nil)
    }

    /// Small images have no fully connected layers, and conv5's mean is what counts.
    @Test(arguments: ["alexnet", "alexnet_bn", "alexnet_lrn", "vgg16", "vgg19_bn"]) func smallImages(_ name: String) throws {
        Runtime.seed(3)
        let net = try BackboneRegistry.make(.init(name, width: 8), imageSize: 32)
        #expect(net.layerNames == ["conv1", "conv2", "conv3", "conv4", "conv5"] && net.attributionLayer == "conv5")
        #expect(net.namedParameters.allSatisfy { $0.key.hasPrefix("features.") })
        let isVGG = name.hasPrefix("vgg")
        let x = Tensor.randn([4, 3, 32, 32]).contiguous(.channelsLast)
        let found = net.features(x, at: ["conv1", "conv5"])
        #expect(found["conv1"]?.shape == [4, name == "alexnet_lrn" ? 12 : 8, 32, 32])
        #expect(found["conv5"]?.shape == [4, isVGG ? 64 : 32, isVGG ? 2 : 7, isVGG ? 2 : 7])
        let output = net(x)
        #expect(output.shape == [4, net.outputWidth])
        output.squared().sum().backward()
        #expect(net.parameters.allSatisfy { $0.value.gradient?.isFinite().all().item == 1 })
        // Any depth is some layer's, and the last is conv5's.
        #expect(net.depthCount == 5 && Set(net.namedParameters.map { net.depth(ofParameter: $0.key) }) == [0, 1, 2, 3, 4])
        let large = try BackboneRegistry.make(.init(name, width: 8), imageSize: 224)
        #expect(Set(large.namedParameters.map { large.depth(ofParameter: $0.key) }) == Set(0..<7))
    }

    /// Without fc6 and fc7 a network for large images ends with conv5, whose weights are the same; halves see channels of their own.
    @Test(arguments: ["alexnet", "alexnet_lrn", "vgg16_bn"]) func withoutConnectedLayers(_ name: String) throws {
        Runtime.seed(5)
        var settings = BackboneSettings(name, width: 8, stem: .imagenet)
        let whole = try BackboneRegistry.make(settings, imageSize: 96)
        settings.connected = false
        let net = try BackboneRegistry.make(settings, imageSize: 96)
        #expect(net.layerNames == ["conv1", "conv2", "conv3", "conv4", "conv5"] && net.attributionLayer == "conv5")
        let state = whole.stateDict
        #expect(Set(net.stateDict.keys) == Set(state.keys.filter { $0.hasPrefix("features.") }))
        try net.load(net.stateDict.keys.reduce(into: [:]) { $0[$1] = state[$1] })
        let x = Tensor.randn([2, 3, 96, 80]).contiguous(.channelsLast)
        whole.eval()
        net.eval()
        withoutGradients {
            let maps = whole.features(x, at: ["conv5"])["conv5"]!
            expectSame(net.features(x, at: ["conv5"])["conv5"]!, maps)
            expectSame(net(x), maps.globalAveragePool())
        }
        settings.channels = [1, 2]
        settings.width = 16
        let halves = try BackboneRegistry.make(settings, imageSize: 96)
        #expect(halves.outputWidth == 2 * net.outputWidth)
        let first = halves.namedParameters.filter { $0.key.hasSuffix("features.0.weight") }.map { $0.parameter.value.size(1) }
        #expect(first == [1, 2])
        settings.width = 12
        // Six channels each do not divide into the original's two groups and ratios.
        let isBuilt = (try? BackboneRegistry.make(settings, imageSize: 96)) != nil
        #expect(isBuilt == (name != "alexnet_lrn"))
        settings.width = 16
        settings.stem = .small
        settings.connected = true
        #expect(throws: BackboneError.self) { try BackboneRegistry.make(settings, imageSize: 96) }
        #expect(throws: BackboneError.self) {
            var other = BackboneSettings("resnet18")
            other.connected = false
            _ = try BackboneRegistry.make(other, imageSize: 32)
        }
    }

    /// Without convolutions, ReLU(W₂ ReLU(W₁x + b₁) + b₂) of all pixels; images of another side are averaged to its own.
    @Test func perceptronSeesEveryPixel() throws {
        Runtime.seed(4)
        let net = try BackboneRegistry.make(.init("mlp", width: 2), imageSize: 12)
        #expect(net.layerNames == ["fc1", "fc2"] && net.attributionLayer == nil && net.outputWidth == 32 && net.depthCount == 2)
        let x = Tensor.randn([16, 3, 12, 12])
        let state = net.stateDict.mapValues { $0.to(.float64) }
        let weights = try ["0.weight", "0.bias", "2.weight", "2.bias"].map { try #require(state["classifier.\($0)"]) }
        let hidden = (x.to(.float64).reshaped(16, 432).matmul(weights[0].transposed()) + weights[1]).relu()
        let expected = (hidden.matmul(weights[2].transposed()) + weights[3]).relu()
        let found = withoutGradients { net.features(x.contiguous(.channelsLast), at: ["fc1", "fc2"]) }
        let tolerance = Tolerance(relative: 1e-5, absolute: 1e-5)
        expectClose(try #require(found["fc1"]).to(.float64), hidden, tolerance)
        expectClose(try #require(found["fc2"]).to(.float64), expected, tolerance)
        let doubled = x.reshaped(16, 3, 12, 1, 12, 1).expanded([16, 3, 12, 2, 12, 2]).reshaped(16, 3, 24, 24)
        expectClose(withoutGradients { net(doubled) }.to(.float64), expected, tolerance)
    }

    @Test func whatImagesAreTooSmallForIsRefused() {
        func message(_ name: String, width: Int = 64, _ stem: ResNet.Stem?, _ size: Int) -> String? {
            do { _ = try BackboneRegistry.make(.init(name, width: width, stem: stem), imageSize: size) } catch { return "\(error)" }
            return nil
        }
        #expect(
            message("alexnet", width: 2, .imagenet, 62) == "alexnet needs images of 63 pixels and more, not 62: give backbone.stem: small")
        #expect(message("alexnet", width: 2, .imagenet, 63) == nil && message("alexnet_lrn", width: 4, .imagenet, 67) == nil)
        // Nothing is pooled behind conv5 where nothing follows it.
        for (name, least) in [("alexnet", 31), ("alexnet_lrn", 35), ("vgg16", 16)] {
            var settings = BackboneSettings(name, width: 4, stem: .imagenet)
            settings.connected = false
            #expect(throws: BackboneError.self) { try BackboneRegistry.make(settings, imageSize: least - 1) }
            let net = try? BackboneRegistry.make(settings, imageSize: least)
            net?.eval()
            let x = Tensor.randn([1, 3, least, least]).contiguous(.channelsLast)
            #expect(net?(x).isFinite().all().item == 1, "\(name)")
        }
        #expect(message("vgg16", width: 2, nil, 15) == "vgg16 needs images of 16 pixels and more, not 15: take another backbone")
        #expect(
            message("skresnet18", width: 5, nil, 32)
                == "backbone.width of skresnet18 must be a multiple of 2, not 5: half of the channels go each way")
        // So are views, tiles and patches that are smaller than the images.
        #expect(throws: BackboneError.self) { try BackboneRegistry.require(.init("alexnet"), imageSize: 225, toSee: 62) }
        #expect(throws: BackboneError.self) { try BackboneRegistry.require(.init("vgg16", stem: .small), imageSize: 225, toSee: 15) }
        #expect(throws: Never.self) {
            try BackboneRegistry.require(.init("alexnet"), imageSize: 225, toSee: 63)
            try BackboneRegistry.require(.init("resnet18"), imageSize: 225, toSee: 7)
        }
        // What is just large enough works.
        for (name, stem, size) in [
            ("alexnet", ResNet.Stem.imagenet, 63), ("alexnet_lrn", .imagenet, 67), ("alexnet", .small, 7), ("vgg16", .imagenet, 32),
            ("vgg16", .small, 16),
        ] {
            let net = try! BackboneRegistry.make(.init(name, width: 4, stem: stem), imageSize: size)
            #expect(withoutGradients { net(.randn([2, 3, size, size])) }.shape == [2, net.outputWidth], "\(name) \(size)")
        }
    }
}
