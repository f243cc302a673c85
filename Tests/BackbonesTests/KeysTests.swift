import Foundation
import TestSupport
import Testing
import Torch

@testable import Backbones

@Suite struct KeysTests {
    /// `conv1.weight [64, 3, 7, 7]`, in torchvision's or timm's order, without `fc` or `head`.
    private static func publishedKeys(_ name: String) throws -> [String] {
        try String(contentsOfFile: "\(ReferenceValues.folder)/backbones/\(name).keys.txt", encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test(arguments: BackboneRegistry.all.map(\.name)) func areThePublishedOnes(_ name: String) throws {
        let expected = try Self.publishedKeys(name)
        let isPlain = name.hasPrefix("alexnet") || name.hasPrefix("vgg")
        #expect(expected.count > (name == "mlp" ? 3 : isPlain ? 13 : 100))
        let entry = try #require(BackboneRegistry.all.first { $0.name == name })
        let encoder = try Encoder(BackboneSettings(name), imageSize: 224)
        #expect(encoder.stateDict.map { "\($0) \($1.shape)" }.sorted() == expected.sorted())
        // The order too, so that an optimiser's list of parameters means the same.
        let parameters = encoder.namedParameters.map(\.key)
        #expect(parameters == expected.map { String($0.prefix { $0 != " " }) }.filter(Set(parameters).contains))
        #expect(encoder.stateDict.filter { $0.key.hasSuffix("num_batches_tracked") }.allSatisfy { $1.dataType == .int64 })

        #expect(entry.parameterCount == encoder.parameterCount)
        #expect(entry.outputWidth == encoder.outputWidth)
        let own = ["revnet50", "alexnet_bn", "alexnet_lrn", "mlp", "simclrv2_skresnet50"].contains(name)
        let timm = ["vit", "resnetv2", "skresnet"].contains(where: name.hasPrefix)
        #expect(entry.weightNames == (own ? "Fovea" : timm ? "timm" : "torchvision"))
    }

    /// As torchvision's and timm's documentation gives them, with the classifier of 1000 classes; of the original AlexNet as Caffe's.
    /// The batch-normalised AlexNet, the reversible network and the perceptron have none but those of generate_plain_networks.py.
    @Test func parameterCountsAreThePublishedOnes() {
        let published = [
            "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160, "resnet152": 60_192_808,
            "wide_resnet50_2": 68_883_240, "wide_resnet101_2": 126_886_696, "resnetv2_50": 25_549_352, "resnetv2_101": 44_541_480,
            "skresnet18": 11_958_056, "skresnet50": 25_803_160, "skresnet50d": 25_822_392, "revnet50": 7_457_640, "alexnet": 61_100_840,
            "alexnet_bn": 61_111_336, "alexnet_lrn": 60_965_224, "vgg16": 138_357_544, "vgg16_bn": 138_365_992, "vgg19": 143_667_240,
            "vgg19_bn": 143_678_248, "vit_tiny": 5_717_416, "vit_small": 22_050_664, "vit_base": 86_567_656,
            // 224² × 3 pixels to 1024, those to 1024, and those to 1000.
            "mlp": 156_216_296,
            // SimCLRv2's table 1: 35 million (without the classes).
            "simclrv2_skresnet50": 37_264_584,
        ]
        #expect(Set(published.keys) == Set(BackboneRegistry.all.map(\.name)))
        for entry in BackboneRegistry.all {
            #expect(entry.parameterCount + (entry.outputWidth + 1) * 1000 == published[entry.name], "\(entry.name)")
        }
    }

    @Test func smallStemChangesOneShape() throws {
        let small = try Encoder(BackboneSettings("resnet18", stem: .small), imageSize: 224)
        let other = try Encoder(BackboneSettings("resnet18", stem: .imagenet), imageSize: 224)
        #expect(Set(small.stateDict.keys) == Set(other.stateDict.keys))
        let differing = small.stateDict.filter { other.stateDict[$0.key]?.shape != $0.value.shape }
        #expect(differing.mapValues(\.shape) == ["conv1.weight": [64, 3, 3, 3]])
    }
}
