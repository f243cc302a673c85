import Foundation
import TestSupport
import Testing
import Torch

@testable import Backbones

@Suite struct EncoderTests {
    private static let settings = BackboneSettings("resnet18", width: 8, stem: .small, zeroInitResidual: true)
    private static let cifar = InputTransform(mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616])

    /// With batch-norm statistics away from where they begin.
    private func encoder() throws -> Encoder {
        Runtime.seed(3)
        let encoder = try Encoder(Self.settings, imageSize: 32, input: Self.cifar)
        withoutGradients { for _ in 0..<3 { _ = encoder(.rand([4, 3, 32, 32]) * 255) } }
        encoder.eval()
        return encoder
    }

    private func failure(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return "nothing was thrown"
        } catch { return "\(error)" }
    }

    @Test func inputTransformIsTorchvisionsNormalize() throws {
        let values = try ReferenceValues.load("backbones").under("transform")
        let pixels = values["pixels"]
        #expect(pixels.dataType == .uint8)
        for (transform, name) in [(InputTransform.imagenet, "imagenet"), (Self.cifar, "cifar")] {
            let found = transform(pixels)
            #expect(found.dataType == .float32 && found.isChannelsLast)
            expectClose(found, values[name], Tolerance(relative: 1e-6, absolute: 1e-6), "\(name)")
            expectClose(transform(pixels.to(.float64)), values[name], .float64, "\(name)")
        }
        #expect(difference(Self.cifar(pixels), values["imagenet"], .float32) != nil)
        #expect(difference(InputTransform.imagenet(pixels.flipped(1)), values["imagenet"], .float32) != nil)
    }

    @Test func fileKeepsTheEncoder() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/encoder.safetensors"
            let encoder = try encoder()
            try EncoderFile.write(encoder, metadata: ["note": "here"], to: path)
            let read = try EncoderFile.read(path)
            #expect(read.settings == Self.settings && read.imageSize == 32 && read.input == encoder.input)
            #expect(read.stateDict.count == encoder.stateDict.count && !read.isTraining && read.modules.allSatisfy { !$0.isTraining })
            for (key, tensor) in encoder.stateDict { expectSame(try #require(read.stateDict[key]), tensor, "\(key)") }
            let pixels = Tensor.rand([3, 3, 32, 32]) * 255
            withoutGradients { expectSame(read(pixels), encoder(pixels)) }
            let content = try Safetensors.read(path)
            #expect(content.metadata["note"] == "here")
            #expect(Set(content.tensors.keys) == Set(encoder.stateDict.keys))
            // Equal encoders, equal bytes.
            let bytes = try contents(of: path)
            try EncoderFile.write(read, metadata: ["note": "here"], to: path)
            #expect(try contents(of: path) == bytes)
        }
    }

    /// As a torchvision state dict: with a classifier, and without a description.
    @Test func readsWeightsUnderPublishedKeys() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/resnet18.safetensors"
            let encoder = try encoder()
            var state = encoder.stateDict
            state["fc.weight"] = .zeros([1000, 64])
            state["fc.bias"] = .zeros([1000])
            try Safetensors.write(state, to: path)
            let read = try EncoderFile.read(path, as: Self.settings, imageSize: 32, input: Self.cifar)
            let pixels = Tensor.rand([3, 3, 32, 32]) * 255
            withoutGradients { expectSame(read(pixels), encoder(pixels)) }
            let message =
                "\(path) does not say what backbone its weights are for: name it with --backbone, "
                + "or give an encoder.safetensors that Fovea wrote"
            #expect(failure { try EncoderFile.read(path) } == message)
        }
    }

    @Test func refusesWeightsThatAreNoNumbers() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/encoder.safetensors"
            func reading(_ spoil: (Encoder) -> Void) throws -> String {
                let diverged = try encoder()
                withoutGradients { spoil(diverged) }
                try EncoderFile.write(diverged, to: path)
                return failure { try EncoderFile.read(path) }
            }
            let parameter = try encoder().namedParameters[3].key
            #expect(
                try reading { $0.namedParameters[3].parameter.value[0].fillInPlace(.nan) }
                    .hasPrefix("\(path): '\(parameter)' holds values that are no numbers"))
            for (key, value, what) in [
                ("running_mean", Double.nan, "numbers"), ("running_mean", .infinity, "numbers"), ("running_var", .nan, "variances"),
                ("running_var", -1, "variances"),
            ] {
                let buffer = try #require(try encoder().namedBuffers.last { $0.key.hasSuffix(key) }).key
                let message = try reading { encoder in
                    encoder.namedBuffers.last { $0.key == buffer }!.buffer.value[2].fillInPlace(value)
                }
                #expect(message.hasPrefix("\(path): '\(buffer)' holds values that are no \(what)"))
            }
        }
    }

    @Test func refusesOtherArchitecturesInOneLine() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/encoder.safetensors"
            try EncoderFile.write(try encoder(), to: path)
            func reading(_ name: String, width: Int = 8) -> String {
                failure { try EncoderFile.read(path, as: .init(name, width: width, stem: .small), imageSize: 32) }
            }
            let tooDeep = reading("resnet34")
            #expect(tooDeep.hasPrefix("\(path) holds weights of another architecture than resnet34: the weights do not fit the network"))
            #expect(tooDeep.contains("missing layer1.2.bn1.bias") && !tooDeep.contains("\n"))
            let tooWide = reading("resnet18", width: 16)
            #expect(tooWide.contains("misshapen bn1.bias ([8] for [16])") && !tooWide.contains("\n") && tooWide.count < 400)
            let bottleneck = reading("resnet50")
            #expect(bottleneck.contains("another architecture than resnet50") && !bottleneck.contains("\n"))
        }
    }

    @Test func refusesDescriptionsThatContradictTheWeights() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/encoder.safetensors"
            try EncoderFile.write(try encoder(), to: path)
            let content = try Safetensors.read(path)
            let own = try #require(content.metadata["fovea.encoder"])
            func reading(_ description: String) throws -> String {
                try Safetensors.write(content.tensors, metadata: ["fovea.encoder": description], to: path)
                return failure { try EncoderFile.read(path) }
            }
            #expect(try reading(own) == "nothing was thrown")
            #expect(try reading(own.replacing("resnet18", with: "resnet34")).contains("another architecture than resnet34"))
            #expect(try reading(own.replacing("resnet18", with: "resnet43")).contains("did you mean 'resnet34'?"))
            #expect(try reading("{}").hasSuffix("was written by another version of Fovea: its description cannot be read"))
        }
    }
}
