internal import Foundation

extension Encoder {
    /// An encoder from a run folder (its finished `encoder.safetensors`, or of an unfinished run its last checkpoint) or from
    /// a file, on a device, in evaluation mode.
    /// - Parameter backbone: what a file's weights are for, when the file does not say: a torchvision state dict saved as
    ///   safetensors, for instance.
    /// - Parameter methods: where the method of an unfinished run is looked up.
    /// - Throws: an error whose description is one line that names the file and the remedy.
    public static func load(
        _ path: String, backbone: BackboneSettings? = nil, imageSize: Int = 224, on device: Device = .cpu,
        methods: MethodRegistry = .standard
    ) throws -> Encoder {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw FileError(path: path, description: "there is no run or weights file \(path): check the path")
        }
        let encoder: Encoder
        if !isFolder.boolValue {
            encoder =
                try backbone.map { try EncoderFile.read(path, as: $0, imageSize: imageSize) } ?? EncoderFile.read(path)
        } else {
            let folder = RunFolder(path)
            guard folder.holdsRun else {
                throw FileError(path: path, description: "\(path) holds no run: give the folder that `fovea pretrain --out` made")
            }
            encoder =
                FileManager.default.fileExists(atPath: folder.encoder)
                ? try EncoderFile.read(folder.encoder) : try folder.encoderOfCheckpoint(methods: methods)
        }
        encoder.move(to: device)
        encoder.eval()
        return encoder
    }
}
