public import Files
internal import Foundation

/// A matrix that is written to a safetensors file block by block, before its number of rows is known: of the rows only a block
/// is held in memory.
public final class GrowingMatrix {
    private var file: AtomicFile?
    private let path: String
    private let name: String
    /// Columns.
    public let width: Int
    /// Rows so far.
    public private(set) var rows = 0
    /// Room for the header, which is written last.
    private static let headerSize = 1 << 16

    /// - Parameter name: what the tensor is called in the file.
    public init(_ path: String, name: String, width: Int) throws(FileError) {
        self.path = path
        self.name = name
        self.width = width
        let opened = try AtomicFile(path)
        try opened.write([UInt8](repeating: 0x20, count: Self.headerSize))
        file = consume opened
    }

    /// Adds rows [m, width], as float32.
    public func add(_ block: Tensor) throws(FileError) {
        precondition(block.rank == 2 && block.size(1) == width, "rows of \(block.summary) for a matrix of width \(width)")
        let bytes = block.to(.float32).bytes
        try write(bytes)
        rows += block.size(0)
    }

    private func write(_ bytes: [UInt8]) throws(FileError) {
        guard file != nil else { preconditionFailure("\(path) is finished already") }
        try file!.write(bytes)
    }

    /// Puts the file in its place.
    /// - Parameters:
    ///   - others: small tensors beside the matrix.
    ///   - metadata: short texts.
    ///   - synced: as `AtomicFile.commit`.
    public func finish(_ others: StateDict = [:], metadata: [String: String] = [:], synced: Bool = true) throws(FileError) {
        var header: [String: Any] = ["__metadata__": metadata]
        var offset = rows * width * DataType.float32.size
        header[name] = Safetensors.entry(.float32, [rows, width], from: 0, to: offset)
        for (key, tensor) in others.sorted(by: { $0.key < $1.key }) {
            let end = offset + tensor.count * tensor.dataType.size
            header[key] = Safetensors.entry(tensor.dataType, tensor.shape, from: offset, to: end)
            try write(tensor.bytes)
            offset = end
        }
        guard var text = try? JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes]),
            text.count <= Self.headerSize - 8
        else { throw FileError(path: path, description: "cannot write \(path): its metadata are too long") }
        text.append(contentsOf: [UInt8](repeating: 0x20, count: Self.headerSize - 8 - text.count))
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        guard let finished = file.take() else { preconditionFailure("\(path) is finished already") }
        try finished.overwrite(length + [UInt8](text), at: 0)
        try finished.commit(synced: synced)
    }
}
