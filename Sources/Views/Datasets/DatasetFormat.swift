/// The kinds of dataset that are recognised by what a path holds.
public enum DatasetFormat: String, Sendable, CaseIterable {
    case folder, list, cifar10, cifar100, idx, stl10

    /// The names under which the classic sets unpack: a folder that holds one of these stands for it.
    private static let usualFolders = [
        "cifar-10-batches-bin", "cifar-100-binary", "stl10_binary", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "EMNIST/raw",
    ]

    /// What the path holds, and the path where it lies (a folder inside for sets that unpack into one).
    ///
    /// - Throws: ``DatasetError`` for a path that is not there, a file other than a CSV list, and CIFAR in the Python version.
    static func recognise(_ path: String) throws(DatasetError) -> (format: DatasetFormat, path: String) {
        guard FolderEntries.exists(path) else { throw .noSuchPath(path) }
        guard FolderEntries.isFolder(path) else {
            guard path.lowercased().hasSuffix(".csv") else {
                throw .unsupported(path: path, remedy: "give a folder of images, a CIFAR, MNIST or STL-10 folder, or a CSV list")
            }
            return (.list, path)
        }
        let entries = try FolderEntries(path)
        if let packed = try packedFormat(entries) { return (packed, path) }
        for inside in usualFolders where FolderEntries.isFolder("\(path)/\(inside)") {
            if let packed = try packedFormat(FolderEntries("\(path)/\(inside)")) { return (packed, "\(path)/\(inside)") }
        }
        if !entries.folders.contains("train"), entries.files.contains("train.csv") { return (.list, path) }
        return (.folder, path)
    }

    private static func packedFormat(_ entries: FolderEntries) throws(DatasetError) -> DatasetFormat? {
        if CIFARBinaryDataset.isCIFAR10(entries) { return .cifar10 }
        if CIFARBinaryDataset.isCIFAR100(entries) { return .cifar100 }
        for part in DatasetPart.allCases where STL10Dataset.has(part, in: entries) { return .stl10 }
        for part in DatasetPart.allCases where try IDXDataset.has(part, in: entries) { return .idx }
        if entries.files.contains("data_batch_1") || (entries.files.contains("meta") && entries.files.contains("train")) {
            throw .unsupported(
                path: entries.path,
                remedy: "it is the Python version of CIFAR: download the binary version (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz)"
            )
        }
        return nil
    }
}
