import TestSupport
import Testing
import Torch

@testable import Backbones

/// Against torchvision's and timm's networks in float64 with the same weights.
@Suite struct PublishedNetworksTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let settings: BackboneSettings
        let input: [Int]
        /// The file of reference values.
        var section = "backbones"
        /// That the network is built for.
        var imageSize = 224
        /// How far float32 may be off, as a share of the largest value.
        var precision = 1e-5
        /// Not where dropout draws.
        var trains = true
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "resnet18", settings: .init("resnet18", stem: .imagenet), input: [6, 3, 96, 64]),
        Case(name: "resnet50", settings: .init("resnet50", stem: .imagenet), input: [6, 3, 64, 80]),
        Case(name: "resnet18_small", settings: .init("resnet18", stem: .small), input: [6, 3, 32, 32]),
        Case(
            name: "wide_resnet50_2", settings: .init("wide_resnet50_2", stem: .imagenet), input: [4, 3, 64, 48], section: "backbones_more"),
        Case(
            name: "resnetv2_50", settings: .init("resnetv2_50", stem: .imagenet), input: [4, 3, 64, 80], section: "backbones_more",
            precision: 5e-5),
        Case(
            name: "alexnet", settings: .init("alexnet", stem: .imagenet), input: [2, 3, 227, 227], section: "plain_networks", trains: false),
        Case(
            name: "alexnet_lrn", settings: .init("alexnet_lrn", width: 16, stem: .imagenet), input: [4, 3, 227, 227],
            section: "plain_networks", trains: false),
        Case(
            name: "alexnet_bn", settings: .init("alexnet_bn", width: 16, stem: .imagenet), input: [6, 3, 96, 72], section: "plain_networks"),
        Case(
            name: "vgg16_bn", settings: .init("vgg16_bn", width: 16, stem: .imagenet), input: [4, 3, 64, 96], section: "plain_networks",
            trains: false),
        Case(
            name: "vgg19", settings: .init("vgg19", width: 16, stem: .imagenet), input: [4, 3, 64, 96], section: "plain_networks",
            trains: false),
        Case(name: "skresnet18", settings: .init("skresnet18", stem: .imagenet), input: [4, 3, 72, 56], section: "plain_networks"),
        // Its softmaxes of such weights choose between paths, and rounding with them: PyTorch's own float32 is off by 4e-3.
        Case(
            name: "skresnet50d", settings: .init("skresnet50d", stem: .imagenet), input: [4, 3, 72, 56], section: "plain_networks",
            precision: 1e-2),
        Case(
            name: "simclrv2_skresnet50", settings: .init("simclrv2_skresnet50", stem: .imagenet), input: [4, 3, 72, 56],
            section: "plain_networks", precision: 1e-2),
        Case(name: "revnet50", settings: .init("revnet50", width: 16, stem: .imagenet), input: [4, 3, 72, 104], section: "plain_networks"),
        Case(name: "vit", settings: .init("vit_tiny"), input: [6, 3, 32, 32], section: "backbones_more", imageSize: 32),
    ]

    @Test(arguments: cases) func outputsInFloat32(_ item: Case) throws {
        let expected = try ReferenceValues.load(item.section).under(item.name)["evaluation"]
        let net = try network(item)
        let input = Formula.tensor("\(item.name).input", item.input, scale: 2).contiguous(.channelsLast)
        expectClose(withoutGradients { net(input) }, expected, within(item.precision, of: expected))
        if let count = net.stateDict["bn1.num_batches_tracked"] { #expect(count.ints == [3]) }
    }

    /// In float64, because single activations near zero fall to the other side in float32, and gradients with them.
    @Test(arguments: cases) func outputsGradientsAndStatistics(_ item: Case) throws {
        let values = try ReferenceValues.load(item.section).under(item.name)
        let net = try network(item)
        net.convert(to: .float64)
        let input = Formula.tensor("\(item.name).input", item.input, scale: 2).to(.float64).contiguous(.channelsLast)
        let evaluation = withoutGradients { net(input) }
        #expect(evaluation.dataType == .float64)
        expectClose(evaluation, values["evaluation"], within(1e-10, of: values["evaluation"]), "evaluation")

        if item.trains { net.train() }
        input.requiresGradient = true
        let output = net(input)
        #expect(output.shape == [item.input[0], net.outputWidth])
        let expected = values[item.trains ? "training" : "evaluation"]
        expectClose(output, expected, within(1e-10, of: expected), "training")
        (output * Formula.tensor("\(item.name).cotangent", output.shape).to(.float64)).sum().backward()

        try expectPart(try #require(input.gradient), values["gradient.input"], "gradient by the input")
        for (key, parameter) in net.namedParameters {
            try expectPart(try #require(parameter.value.gradient), values["gradient.\(key)"], "gradient by \(key)")
        }
        for (key, buffer) in net.namedBuffers where item.trains {
            if key.hasSuffix("num_batches_tracked") {
                #expect(buffer.value.ints == [4], "\(key)")
            } else {
                try expectPart(buffer.value, values["after.\(key)"], "\(key) afterwards")
            }
        }
    }

    /// The comparison tells height from width, and pooling from none.
    @Test func otherNetworksAreNoticed() throws {
        let item = Self.cases[0]
        let expected = try ReferenceValues.load(item.section).under(item.name)["evaluation"]
        let net = try network(item)
        let input = Formula.tensor("\(item.name).input", item.input, scale: 2)
        withoutGradients {
            #expect(difference(net(input), expected, within(1e-5, of: expected)) == nil)
            #expect(difference(net(input.transposed(2, 3)), expected, within(0.01, of: expected)) != nil)
            #expect(difference(net(input.flipped(1)), expected, within(0.01, of: expected)) != nil)
            net.train()
            #expect(difference(net(input), expected, within(0.01, of: expected)) != nil)
        }
    }

    private func network(_ item: Case) throws -> Backbone {
        let net = try BackboneRegistry.make(item.settings, imageSize: item.imageSize)
        try Formula.fill(net)
        net.eval()
        return net
    }

    private func within(_ share: Double, of values: Tensor) -> Tolerance {
        Tolerance(relative: 0, absolute: share * values.abs().max().item)
    }

    /// `expected` is the norm and the first values, which are compared on the scale of the whole tensor.
    private func expectPart(_ tensor: Tensor, _ expected: Tensor, _ name: String) throws {
        let all = tensor.flattened()
        let found = [all.norm().item] + all[0..<min(6, all.count)].doubles
        let expected = expected.doubles
        try #require(found.count == expected.count)
        // What is 0 but for rounding, as the gradient by a bias that batch normalisation takes away, has no scale of its own.
        let scale = max(expected[0] / Double(all.count).squareRoot(), 1e-3)
        for (index, (a, b)) in zip(found, expected).enumerated() {
            let distance = (a - b).magnitude / (index == 0 ? max(expected[0], 1e-3) : scale)
            #expect(distance <= 1e-8, "\(name), \(index == 0 ? "norm" : "value \(index - 1)"): \(a) instead of \(b)")
        }
    }
}
