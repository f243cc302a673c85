/// MNIST and its family (Fashion-MNIST, KMNIST, EMNIST) as IDX files (yann.lecun.com/exdb/mnist), plain or with gzip: grey
/// pictures of 8 bits, which come out as RGB, and labels in a file of their own.
public struct IDXDataset: ImageDataset {
    public let part: DatasetPart
    public let classNames: [String]
    public let count: Int

    private let file: PackedBytes
    private let pictures: PackedPictures
    /// Empty when there are none.
    private let labels: [UInt8]

    private static let headerSize = 16

    /// - Parameters:
    ///   - folder: holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…` (or `test-…`) or those of them that are
    ///     needed, each perhaps with `.gz`, and perhaps with a name before it (`emnist-letters-train-…`).
    ///   - classCount: how many classes there are; nil to count from the greatest label.
    /// - Throws: ``DatasetError`` when the part is missing or there are several, or a file does not fit its header.
    public init(_ folder: String, part: DatasetPart = .train, classCount: Int? = nil) throws(DatasetError) {
        let entries = try FolderEntries(folder)
        guard let name = try Self.file("images-idx3", part, in: entries) else { throw .noSuchPart(part, in: folder) }
        let path = "\(folder)/\(name)"
        let file = try Self.open(path, dimensions: 3)
        let sides = (1...2).map { Self.number(file.bytes, at: 4 + 4 * $0) }
        pictures = PackedPictures(width: sides[1], height: sides[0], channels: 1)
        count = Self.number(file.bytes, at: 4)

        var labels: [UInt8] = []
        if let labelName = try Self.file("labels-idx1", part, in: entries) {
            let labelPath = "\(folder)/\(labelName)"
            let stored = try Self.open(labelPath, dimensions: 1)
            guard stored.bytes.count - 8 == count else {
                throw .broken(file: labelPath, reason: "\(stored.bytes.count - 8) labels for \(count) pictures")
            }
            labels = Array(stored.bytes[8...])
        }
        let found = labels.max().map { Int($0) + 1 } ?? 0
        if let classCount, found > classCount { throw .unknownClass(String(found - 1), in: path) }
        classNames = (0..<(classCount ?? found)).map(String.init)
        self.part = part
        self.file = file
        self.labels = labels
    }

    /// The one file for `kind` in a part, if any.
    private static func file(_ kind: String, _ part: DatasetPart, in entries: FolderEntries) throws(DatasetError) -> String? {
        let stems: [String] =
            switch part {
            case .train: ["train"]
            case .test: ["t10k", "test"]
            case .unlabelled: []
            }
        let endings = stems.flatMap { stem in
            // Some copies have a dot where the original has a hyphen.
            [kind, kind.replacing("-", with: ".")].flatMap { ["\(stem)-\($0)-ubyte", "\(stem)-\($0)-ubyte.gz"] }
        }
        let found = entries.files.filter { file in endings.contains { file == $0 || file.hasSuffix("-" + $0) } }.sorted()
        // A file and its packed form are the same thing; two sets in a folder are a question.
        let unpacked = found.filter { !$0.hasSuffix(".gz") }
        let candidates = unpacked.isEmpty ? found : unpacked
        guard candidates.count <= 1 else {
            throw .unsupported(
                path: entries.path, remedy: "it holds \(candidates.joined(separator: " and ")): put each set into a folder of its own")
        }
        return candidates.first
    }

    static func has(_ part: DatasetPart, in entries: FolderEntries) throws(DatasetError) -> Bool {
        try file("images-idx3", part, in: entries) != nil
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian)
    }

    /// Opens a file and checks that it is as long as its header says. Layout: two zero bytes, the type (8: bytes), the number
    /// of dimensions, then each dimension as a big-endian number of 4 bytes.
    private static func open(_ path: String, dimensions: Int) throws(DatasetError) -> PackedBytes {
        let headerSize = 4 + 4 * dimensions
        func size(_ header: UnsafeRawBufferPointer) throws(DatasetError) -> Int {
            guard header[0] == 0, header[1] == 0, header[2] == 8, Int(header[3]) == dimensions else {
                throw .broken(
                    file: path, reason: "not an IDX file of bytes with \(dimensions) \(dimensions == 1 ? "dimension" : "dimensions")")
            }
            var size = 1
            for dimension in 0..<dimensions {
                let (product, overflow) = size.multipliedReportingOverflow(by: number(header, at: 4 + 4 * dimension))
                guard !overflow, product > 0, product < 1 << 40 else { throw .broken(file: path, reason: "impossible sides in the header") }
                size = product
            }
            return headerSize + size
        }
        if path.hasSuffix(".gz") { return try PackedBytes(inflating: path, headerSize: headerSize, size: size) }
        let file = try PackedBytes(mapping: path)
        guard file.bytes.count >= headerSize else {
            throw .wrongSize(file: path, bytes: file.bytes.count, expected: "at least \(headerSize)")
        }
        let expected = try size(file.bytes)
        guard file.bytes.count == expected else {
            throw .wrongSize(file: path, bytes: file.bytes.count, expected: "\(expected), which its header tells")
        }
        return file
    }

    public func label(at index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }
    public func name(at index: Int) -> String { PackedPictures.name(part, index) }
    public func fingerprint(at index: Int) -> UInt64? { fingerprintOfPixels(at: index) }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        precondition(index >= 0 && index < count, "picture \(index) of \(count)")
        let start = Self.headerSize + index * pictures.byteCount
        return withExtendedLifetime(file) {
            pictures.image(UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + pictures.byteCount]))
        }
    }
}
