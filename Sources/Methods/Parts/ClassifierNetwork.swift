public import Backbones
internal import Files
internal import Foundation
public import Torch

/// A network that names classes, such as one that was fine-tuned.
public protocol Classifying: Module {
    var encoder: Encoder { get }
    /// Pixels [n, 3, h, w] to [n, classes].
    func logits(_ pixels: Tensor) -> Tensor
}

/// An encoder, perhaps a layer of its projection head, and a linear classifier.
public final class ClassifierNetwork: Module, Classifying {
    public let encoder: Encoder
    let head: Sequential?
    let classifier: Linear

    /// - Parameters:
    ///   - headWidth: of a linear layer with ReLU between encoder and classifier; 0 for none.
    ///   - headBatchNorm: whether that layer is batch-normalised.
    public init(_ encoder: Encoder, classes: Int, headWidth: Int = 0, headBatchNorm: Bool = true) {
        self.encoder = encoder
        head = headWidth > 0 ? Self.makeHead(encoder.outputWidth, headWidth, headBatchNorm) : nil
        classifier = Linear(headWidth > 0 ? headWidth : encoder.outputWidth, classes)
    }

    /// With the keys of a projector's first layers.
    private static func makeHead(_ inputs: Int, _ width: Int, _ batchNorm: Bool) -> Sequential {
        Sequential([Linear(inputs, width, bias: !batchNorm)] + (batchNorm ? [BatchNorm(width)] : []) + [Activation.relu])
    }

    public var classCount: Int { classifier.weight.value.size(0) }

    public func callAsFunction(_ pixels: Tensor) -> Tensor {
        let h = encoder(pixels)
        return classifier(head.map { $0(h) } ?? h)
    }

    public func logits(_ pixels: Tensor) -> Tensor { self(pixels) }

    /// All but the encoder: `head.…` and `classifier.…`.
    public var classifierState: StateDict {
        stateDict.filter { $0.key.hasPrefix("head.") || $0.key.hasPrefix("classifier.") }
    }

    /// From a run folder of a finished classifier.
    /// - Throws: `SettingsError` when it is none.
    public static func read(_ folder: String) throws -> ClassifierNetwork {
        let files = ["encoder", "classifier"].map { "\(folder)/\($0).safetensors" }
        guard !folder.isEmpty, files.allSatisfy(FileManager.default.fileExists) else {
            throw SettingsError(
                "\(folder.isEmpty ? "method.teacher" : folder) is no finished run of a classifier: give one of supervised training")
        }
        let encoder = try EncoderFile.read(files[0])
        let state = try Safetensors.read(files[1]).tensors
        guard let classes = state["classifier.weight"]?.shape.first else { throw SettingsError("\(files[1]) holds no classifier") }
        let network = ClassifierNetwork(
            encoder, classes: classes, headWidth: state["head.0.weight"]?.shape.first ?? 0, headBatchNorm: state["head.0.bias"] == nil)
        do {
            try network.load(state.merging(network.stateDict.filter { state[$0.key] == nil }) { $1 })
        } catch { throw SettingsError("\(files[1]) is not the classifier of \(files[0]): \(error)") }
        return network
    }
}
