internal import Files
internal import Foundation
internal import Torch

/// `encoder.safetensors`: the backbone's weights under their published keys, and in the metadata what is needed to build it.
public enum EncoderFile {
    /// An encoder file that cannot be used.
    public struct Unusable: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
    }

    private struct Description: Codable {
        var backbone: BackboneSettings
        var input: InputTransform
        var imageSize: Int
    }

    private static let key = "fovea.encoder"

    public static func write(_ encoder: Encoder, metadata: [String: String] = [:], to path: String) throws {
        let description = Description(backbone: encoder.settings, input: encoder.input, imageSize: encoder.imageSize)
        let json = JSONEncoder()
        json.outputFormatting = [.sortedKeys]
        var metadata = metadata
        metadata[key] = String(decoding: try json.encode(description), as: UTF8.self)
        try Safetensors.write(encoder.stateDict, metadata: metadata, to: path)
    }

    /// - Throws: `FileError`, `Safetensors.Malformed`, or `Unusable` when the file is none of Fovea's or its weights do not
    ///   fit the backbone that it names.
    public static func read(_ path: String) throws -> Encoder {
        let content = try Safetensors.read(path)
        guard let text = content.metadata[key] else {
            throw Unusable(
                description: "\(path) does not say what backbone its weights are for: name it with --backbone, "
                    + "or give an encoder.safetensors that Fovea wrote")
        }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            throw Unusable(description: "\(path) was written by another version of Fovea: its description cannot be read")
        }
        let encoder = try Encoder(description.backbone, imageSize: description.imageSize, input: description.input)
        try load(content.tensors, into: encoder, from: path)
        return encoder
    }

    /// Weights under published keys (a torchvision state dict saved as safetensors, say) into a given backbone; the
    /// classifier's own keys are left out.
    public static func read(_ path: String, as settings: BackboneSettings, imageSize: Int, input: InputTransform = .imagenet) throws
        -> Encoder
    {
        let encoder = try Encoder(settings, imageSize: imageSize, input: input)
        try load(try Safetensors.read(path).tensors, into: encoder, from: path)
        return encoder
    }

    /// Torchvision's (the last of AlexNet and VGG), and timm's of transformers and of ResNets in the second form.
    private static let classifierKeys: Set<String> = [
        "fc.weight", "fc.bias", "classifier.6.weight", "classifier.6.bias", "head.weight", "head.bias", "head.fc.weight", "head.fc.bias",
    ]

    private static func load(_ state: StateDict, into encoder: Encoder, from path: String) throws {
        do {
            try encoder.load(state.filter { !classifierKeys.contains($0.key) })
        } catch let mismatch {
            throw Unusable(
                description: "\(path) holds weights of another architecture than \(encoder.settings.name): \(mismatch): "
                    + "name theirs by --backbone, --width and --image-size")
        }
        let values = encoder.namedParameters.map { ($0.key, $0.parameter.value) } + encoder.namedBuffers.map { ($0.key, $0.buffer.value) }
        for (key, value) in values {
            // A normalisation divides by the root of its running variance.
            let isVariance = key.hasSuffix("running_var")
            guard value.isFinite().all().item == 0 || (isVariance && value.min().item < 0) else { continue }
            throw Unusable(
                description: "\(path): '\(key)' holds values that are no \(isVariance ? "variances" : "numbers"), as a diverged training "
                    + "leaves them: use the file of an earlier checkpoint")
        }
        encoder.eval()
    }
}
