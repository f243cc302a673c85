import Foundation
public import Torch

/// Named tensors that other software computed: a section of `Tests/ReferenceValues`, made by `generate.py` there.
///
///     let values = try ReferenceValues.load("layers").under("conv")
///     expectClose(layer(values["0.input"]), values["0.output"], .float32)
public struct ReferenceValues {
    public let tensors: StateDict

    public init(_ tensors: StateDict) { self.tensors = tensors }

    /// Where the files are.
    public static var folder: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ReferenceValues").path
    }

    public static func path(_ section: String) -> String { "\(folder)/\(section).safetensors" }

    public static func load(_ section: String) throws -> ReferenceValues {
        ReferenceValues(try Safetensors.read(path(section)).tensors)
    }

    /// The tensor of that name, which a test may change.
    public subscript(key: String) -> Tensor {
        guard let tensor = tensors[key] else {
            fatalError("no reference value '\(key)': add it to generate.py, or take one of \(tensors.keys.sorted())")
        }
        return tensor.cloned()
    }

    public subscript(optional key: String) -> Tensor? { tensors[key]?.cloned() }

    /// The values whose names begin with `prefix.`, by the rest of their names.
    public func under(_ prefix: String) -> ReferenceValues {
        let pairs = tensors.compactMap { key, tensor in
            key.hasPrefix(prefix + ".") ? (String(key.dropFirst(prefix.count + 1)), tensor) : nil
        }
        precondition(!pairs.isEmpty, "no reference values under '\(prefix)'")
        return ReferenceValues(Dictionary(uniqueKeysWithValues: pairs))
    }
}
