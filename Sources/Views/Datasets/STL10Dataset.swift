/// STL-10's binary version (Coates, Lee, Ng 2011, cs.stanford.edu/~acoates/stl10): 96 × 96 pixels in three planes, column by
/// column, and labels from 1 to 10 in a file of their own.
public struct STL10Dataset: ImageDataset {
    public let part: DatasetPart
    public let classNames: [String]

    private let file: PackedBytes
    /// Empty for the unlabelled part.
    private let labels: [UInt8]

    private static let pictures = PackedPictures(width: 96, height: 96, channels: 3, isColumnMajor: true)

    /// - Parameters:
    ///   - folder: holds `train_X.bin`, `train_y.bin`, `test_X.bin`, `test_y.bin`, `unlabeled_X.bin`, `class_names.txt`, or
    ///     those of them that are needed.
    /// - Throws: ``DatasetError`` when the part is missing, or a file's length or labels do not fit the format.
    public init(_ folder: String, part: DatasetPart = .train) throws(DatasetError) {
        let entries = try FolderEntries(folder)
        let stem = Self.stem(part)
        guard entries.files.contains("\(stem)_X.bin") else { throw .noSuchPart(part, in: folder) }
        let path = "\(folder)/\(stem)_X.bin"
        let file = try PackedBytes(mapping: path)
        let count = file.bytes.count / Self.pictures.byteCount
        guard count > 0, count * Self.pictures.byteCount == file.bytes.count else {
            throw .wrongSize(file: path, bytes: file.bytes.count, expected: "a multiple of \(Self.pictures.byteCount)")
        }
        var labels: [UInt8] = []
        if part != .unlabelled, entries.files.contains("\(stem)_y.bin") {
            let labelPath = "\(folder)/\(stem)_y.bin"
            let stored = try PackedBytes(mapping: labelPath)
            guard stored.bytes.count == count else {
                throw .wrongSize(file: labelPath, bytes: stored.bytes.count, expected: "\(count), one for each picture of \(stem)_X.bin")
            }
            for (index, label) in stored.bytes.enumerated() {
                guard (1...10).contains(label) else {
                    throw .broken(file: labelPath, reason: "label \(label) of picture \(index) is not in 1 … 10")
                }
                labels.append(label - 1)
            }
        }
        let names = try entries.lines(of: "class_names.txt") ?? []
        classNames = names.count == 10 ? names : (1...10).map(String.init)
        self.part = part
        self.file = file
        self.labels = labels
    }

    private static func stem(_ part: DatasetPart) -> String { part == .unlabelled ? "unlabeled" : part.rawValue }

    static func has(_ part: DatasetPart, in entries: FolderEntries) -> Bool { entries.files.contains("\(stem(part))_X.bin") }

    public var count: Int { file.bytes.count / Self.pictures.byteCount }
    public func label(at index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }
    public func name(at index: Int) -> String { PackedPictures.name(part, index) }
    public func fingerprint(at index: Int) -> UInt64? { fingerprintOfPixels(at: index) }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        precondition(index >= 0 && index < count, "picture \(index) of \(count)")
        let start = index * Self.pictures.byteCount
        return withExtendedLifetime(file) {
            Self.pictures.image(UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + Self.pictures.byteCount]))
        }
    }
}
