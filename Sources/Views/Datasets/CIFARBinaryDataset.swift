/// CIFAR-10 and CIFAR-100 in their binary versions (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html): records of one label
/// byte (CIFAR-100: a coarse and a fine one, of which the fine one is taken) and 32 × 32 pixels in three planes.
public struct CIFARBinaryDataset: ImageDataset {
    public let part: DatasetPart
    public let classNames: [String]

    private let files: [PackedBytes]
    /// For each file, how many pictures come before it.
    private let starts: [Int]
    private let labels: [UInt8]
    private let labelBytes: Int

    private static let pictures = PackedPictures(width: 32, height: 32, channels: 3)

    /// - Parameters:
    ///   - folder: holds `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin` (CIFAR-10; training batches may be
    ///     missing, the others are read then), or `train.bin` and `test.bin` (CIFAR-100).
    ///   - part: train or test.
    /// - Throws: ``DatasetError`` when the part is missing, or a file's length or labels do not fit the format.
    public init(_ folder: String, part: DatasetPart = .train) throws(DatasetError) {
        let entries = try FolderEntries(folder)
        let isCIFAR10 = Self.isCIFAR10(entries)
        let names: [String] =
            switch part {
            case .train: isCIFAR10 ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"]
            case .test: [isCIFAR10 ? "test_batch.bin" : "test.bin"]
            case .unlabelled: []
            }
        let present = names.filter(entries.files.contains)
        guard !present.isEmpty else { throw .noSuchPart(part, in: folder) }

        labelBytes = isCIFAR10 ? 1 : 2
        let record = labelBytes + Self.pictures.byteCount
        var classNames = try entries.lines(of: isCIFAR10 ? "batches.meta.txt" : "fine_label_names.txt") ?? []
        let classCount = isCIFAR10 ? 10 : 100
        if classNames.count != classCount { classNames = (0..<classCount).map(String.init) }

        var files: [PackedBytes] = []
        var starts: [Int] = []
        var labels: [UInt8] = []
        for name in present {
            let file = "\(folder)/\(name)"
            let packed = try PackedBytes(mapping: file)
            let count = packed.bytes.count / record
            guard count > 0, count * record == packed.bytes.count else {
                throw .wrongSize(file: file, bytes: packed.bytes.count, expected: "a multiple of \(record)")
            }
            starts.append(labels.count)
            files.append(packed)
            for index in 0..<count {
                let label = packed.bytes[index * record + labelBytes - 1]
                guard label < classCount else {
                    throw .broken(file: file, reason: "label \(label) of picture \(index) is beyond \(classCount) classes")
                }
                labels.append(label)
            }
        }
        self.part = part
        self.classNames = classNames
        self.files = files
        self.starts = starts
        self.labels = labels
    }

    static func isCIFAR10(_ entries: FolderEntries) -> Bool {
        entries.files.contains("test_batch.bin") || (1...5).contains { entries.files.contains("data_batch_\($0).bin") }
    }

    static func isCIFAR100(_ entries: FolderEntries) -> Bool {
        entries.files.contains("train.bin") && (entries.files.contains("test.bin") || entries.files.contains("fine_label_names.txt"))
    }

    public var count: Int { labels.count }
    public func label(at index: Int) -> Int? { Int(labels[index]) }
    public func name(at index: Int) -> String { PackedPictures.name(part, index) }
    public func fingerprint(at index: Int) -> UInt64? { fingerprintOfPixels(at: index) }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        precondition(index >= 0 && index < count, "picture \(index) of \(count)")
        let file = starts.lastIndex { $0 <= index }!
        let start = (index - starts[file]) * (labelBytes + Self.pictures.byteCount) + labelBytes
        // Keeps the mapping alive while it is read.
        return withExtendedLifetime(files[file]) {
            Self.pictures.image(UnsafeRawBufferPointer(rebasing: files[file].bytes[start..<start + Self.pictures.byteCount]))
        }
    }
}
