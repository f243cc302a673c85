public import Files
import Foundation

/// The safetensors format: an 8-byte header length, a JSON header, the tensors' bytes.
///
/// Reading trusts nothing: lengths, offsets, types and shapes are checked against the file before anything is allocated.
/// Writing is atomic, in a fixed order, so that equal content is equal bytes.
public enum Safetensors {
    public struct Content {
        public var tensors: StateDict
        public var metadata: [String: String]
    }

    public struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        public let path: String
        public let reason: String
        public var description: String { "\(path) is not a readable safetensors file: \(reason)" }
    }

    private static let types: [(name: String, type: DataType)] = [
        ("F64", .float64), ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16), ("I64", .int64), ("I32", .int32),
        ("I16", .int16), ("I8", .int8), ("U8", .uint8), ("BOOL", .bool),
    ]

    /// The format's own limit.
    private static let headerLimit = 100_000_000

    // MARK: Reading

    /// - Throws: `FileError` when there is no readable file, `Malformed` when it is damaged.
    public static func read(_ path: String) throws -> Content {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw FileError(path: path, description: "cannot read \(path): check the path and its permissions")
        }
        return try parse(data, path: path)
    }

    static func parse(_ data: Data, path: String) throws(Malformed) -> Content {
        func malformed(_ reason: String) -> Malformed { Malformed(path: path, reason: reason) }
        guard data.count >= 8 else { throw malformed("it has \(data.count) bytes, fewer than a header") }
        let length = (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(data[data.startIndex + $1]) }
        guard length <= headerLimit, Int(length) <= data.count - 8 else {
            throw malformed("its header claims \(length) bytes of a file of \(data.count)")
        }
        let body = 8 + Int(length)
        let headerBytes = data[data.startIndex + 8..<data.startIndex + body]
        // The parser also takes UTF-16 and UTF-32; the format does not.
        guard headerBytes.first == UInt8(ascii: "{"), !headerBytes.contains(0),
            let header = try? JSONSerialization.jsonObject(with: headerBytes) as? [String: Any]
        else { throw malformed("its header is not a JSON object") }
        guard keyCount(headerBytes) == keyCount(header) else { throw malformed("its header has the same key twice") }
        var entries: [(name: String, type: DataType, shape: [Int], range: Range<Int>)] = []
        var metadata: [String: String] = [:]
        for (name, value) in header {
            if name == "__metadata__" {
                guard let map = value as? [String: String] else { throw malformed("its metadata are not texts") }
                metadata = map
                continue
            }
            guard let entry = value as? [String: Any], let typeName = entry["dtype"] as? String,
                let shape = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int], offsets.count == 2
            else { throw malformed("the entry of '\(name)' lacks dtype, shape or data_offsets") }
            guard let type = types.first(where: { $0.name == typeName })?.type else {
                throw malformed("'\(name)' has the unknown type \(typeName)")
            }
            guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= data.count - body else {
                throw malformed("'\(name)' lies outside the file (bytes \(offsets[0]) to \(offsets[1]) of \(data.count - body))")
            }
            // Sizes of 0 are left out at first: libtorch's strides overflow for [0, 2⁶², 2⁶²] too.
            var bytes = type.size
            for size in shape where size != 0 {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
                guard size > 0, !overflow else { throw malformed("'\(name)' has the impossible shape \(shape)") }
                bytes = product
            }
            if shape.contains(0) { bytes = 0 }
            guard bytes == offsets[1] - offsets[0] else {
                throw malformed("'\(name)' of shape \(shape) needs \(bytes) bytes, not \(offsets[1] - offsets[0])")
            }
            entries.append((name, type, shape, offsets[0]..<offsets[1]))
        }
        entries.sort { ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name) }
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound == end else {
                throw malformed("'\(entry.name)' \(entry.range.lowerBound < end ? "overlaps" : "leaves a gap after") the tensor before it")
            }
            end = entry.range.upperBound
        }
        guard end == data.count - body else { throw malformed("\(data.count - body - end) bytes follow the last tensor") }

        var tensors: StateDict = [:]
        data.withUnsafeBytes { all in
            for entry in entries {
                let bytes = UnsafeRawBufferPointer(rebasing: all[body + entry.range.lowerBound..<body + entry.range.upperBound])
                tensors[entry.name] = Tensor(copying: bytes, entry.shape, entry.type)
            }
        }
        return Content(tensors: tensors, metadata: metadata)
    }

    /// The parser keeps one of two entries with the same key and says nothing, so the colons of the text are counted...
    private static func keyCount(_ json: Data) -> Int {
        var count = 0
        var isInText = false
        var isEscaped = false
        for byte in json {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isInText.toggle()
            } else if isInText {
                isEscaped = byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: ":") {
                count += 1
            }
        }
        return count
    }

    /// ...and the keys of what was made of it.
    private static func keyCount(_ value: Any) -> Int {
        if let object = value as? [String: Any] { return object.count + object.values.reduce(0) { $0 + keyCount($1) } }
        if let array = value as? [Any] { return array.reduce(0) { $0 + keyCount($1) } }
        return 0
    }

    // MARK: Writing

    public static func write(_ tensors: StateDict, metadata: [String: String] = [:], to path: String) throws(FileError) {
        // Wide elements first, so that every tensor is aligned for whoever maps the file.
        let ordered = tensors.sorted { ($1.value.dataType.size, $0.key) < ($0.value.dataType.size, $1.key) }
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var offset = 0
        for (name, tensor) in ordered {
            let size = tensor.count * tensor.dataType.size
            let type = types.first { $0.type == tensor.dataType }!.name
            header[name] = ["dtype": type, "shape": tensor.shape, "data_offsets": [offset, offset + size]]
            offset += size
        }
        guard var text = try? JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes]) else {
            throw FileError(path: path, description: "cannot write \(path): its metadata are not JSON")
        }
        // Padded with spaces, for the same reason.
        text.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8))

        let file = try AtomicFile(path)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        try file.write(length)
        try file.write([UInt8](text))
        for (_, tensor) in ordered { try file.write(tensor.bytes) }
        try file.commit()
    }
}
