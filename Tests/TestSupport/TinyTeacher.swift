import Backbones
import Foundation
import Torch

/// An encoder file for methods that learn from another run's.
public enum TinyTeacher {
    /// A ResNet-18 of a few thousand weights, always the same; made at the first call.
    public static func path() throws -> String { try made.get() }

    private static let made = Result {
        let name = "fovea-tiny-teacher-\(ProcessInfo.processInfo.processIdentifier)"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appendingPathComponent("encoder.safetensors").path
        let state = Runtime.generatorState()
        defer { Runtime.setGeneratorState(state, of: .cpu) }
        Runtime.seed(99)
        try EncoderFile.write(Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16), to: path)
        return path
    }
}
