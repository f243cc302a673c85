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
    public static func read(_ path: String) throws -> Content { try parse(data(path), path: path) }

    /// Tensors that lie in the file: their pages are read where they are touched, and the system takes them back when it needs the
    /// memory. Small ones, and those that are not aligned, are copied.
    ///
    /// The file must not be changed while they are used; to replace or remove it is no harm.
    /// - Throws: as `read`.
    public static func map(_ path: String) throws -> Content {
        let data = try data(path)
        let layout = try layout(data, path: path)
        let whole = data.isEmpty ? nil : (ATen.fromFile(path, false, data.count, DataType.uint8) as Tensor)
        var tensors: StateDict = [:]
        for entry in layout.entries {
            let start = layout.body + entry.range.lowerBound
            if let whole, entry.range.count >= 1 << 20, start % entry.type.size == 0 {
                let bytes = whole.narrowed(0, from: start, count: entry.range.count)
                tensors[entry.name] = (ATen.viewAsType(bytes, entry.type) as Tensor).reshaped(entry.shape)
            } else {
                tensors[entry.name] = copy(of: entry, layout.body, data)
            }
        }
        return Content(tensors: tensors, metadata: layout.metadata)
    }

    private static func data(_ path: String) throws(FileError) -> Data {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw FileError(path: path, description: "cannot read \(path): check the path and its permissions")
        }
    }

    static func parse(_ data: Data, path: String) throws(Malformed) -> Content {
        let layout = try layout(data, path: path)
        var tensors: StateDict = [:]
        for entry in layout.entries { tensors[entry.name] = copy(of: entry, layout.body, data) }
        return Content(tensors: tensors, metadata: layout.metadata)
    }

    private struct Entry {
        var name: String
        var type: DataType
        var shape: [Int]
        /// After the header.
        var range: Range<Int>
    }

    private static func copy(of entry: Entry, _ body: Int, _ data: Data) -> Tensor {
        data.withUnsafeBytes { all in
            let bytes = UnsafeRawBufferPointer(rebasing: all[body + entry.range.lowerBound..<body + entry.range.upperBound])
            return Tensor(copying: bytes, entry.shape, entry.type)
        }
    }

    /// What the header says, checked against the file; `body` is where the tensors begin.
    private static func layout(
        _ data: Data, path: String
    ) throws(Malformed) -> (entries: [Entry], metadata: [String: String], body: Int) {
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
        var entries: [Entry] = []
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
            entries.append(Entry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1]))
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

        return (entries, metadata, body)
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

    static func entry(_ type: DataType, _ shape: [Int], from start: Int, to end: Int) -> [String: Any] {
        ["dtype": types.first { $0.type == type }!.name, "shape": shape, "data_offsets": [start, end]]
    }

    public static func write(_ tensors: StateDict, metadata: [String: String] = [:], to path: String) throws(FileError) {
        // Wide elements first, so that every tensor is aligned for whoever maps the file.
        let ordered = tensors.sorted { ($1.value.dataType.size, $0.key) < ($0.value.dataType.size, $1.key) }
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var offset = 0
        for (name, tensor) in ordered {
            let size = tensor.count * tensor.dataType.size
            header[name] = entry(tensor.dataType, tensor.shape, from: offset, to: offset + size)
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
