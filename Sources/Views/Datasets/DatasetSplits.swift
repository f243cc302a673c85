/// A dataset in the parts that it is divided into.
public struct DatasetSplits: Sendable {
    public let format: DatasetFormat
    /// The training part, or everything where there is no division.
    public let train: any ImageDataset
    /// The held-out part, with the training part's classes; nil where there is none.
    public let test: (any ImageDataset)?
    /// Pictures for pretraining only (STL-10); nil where there are none.
    public let unlabelled: (any ImageDataset)?

    /// Held-out parts by falling preference: where a set has both, `val` was for choosing settings.
    private static let testNames = ["test", "val", "valid", "validation"]

    /// Opens what lies at `path`: a folder of images, divided into `train/` and `test/` (or `val/`, `valid/`, `validation/`) or not, a
    /// CSV list or a folder with `train.csv` and perhaps `test.csv`, CIFAR, STL-10, or one of MNIST's family.
    ///
    /// - Parameters:
    ///   - options: the limit holds for each part.
    ///   - heldOut: false leaves the held-out part of folders and lists unread, and so unchecked.
    /// - Throws: ``DatasetError``, one line that says what to do.
    public static func open(
        _ path: String, options: DatasetOptions = DatasetOptions(), heldOut: Bool = true
    ) throws(DatasetError) -> DatasetSplits {
        let (format, found) = try DatasetFormat.recognise(path)
        switch format {
        case .folder: return try openFolder(found, options, heldOut)
        case .list: return try openLists(found, options, heldOut)
        case .cifar10, .cifar100:
            return try packed(format, found, options) { path, part, _ throws(DatasetError) in try CIFARBinaryDataset(path, part: part) }
        case .stl10: return try packed(format, found, options) { path, part, _ throws(DatasetError) in try STL10Dataset(path, part: part) }
        case .idx:
            return try packed(format, found, options) { path, part, classes throws(DatasetError) in
                try IDXDataset(path, part: part, classCount: classes)
            }
        }
    }

    /// Where a folder is divided into parts: its training part, and the held-out part's name where there is one.
    private static func division(_ path: String) throws(DatasetError) -> (train: String, test: String?)? {
        let entries = try FolderEntries(path)
        let test = testNames.first(where: entries.folders.contains)
        // "train" among other folders is a class of vehicles.
        return entries.folders.contains("train") && (test != nil || entries.folders.count == 1) ? ("\(path)/train", test) : nil
    }

    /// The training part of a folder, or all of it where it is not divided.
    static func trainingFolder(_ path: String) throws(DatasetError) -> String { try division(path)?.train ?? path }

    private static func openFolder(_ path: String, _ options: DatasetOptions, _ heldOut: Bool) throws(DatasetError) -> DatasetSplits {
        guard let (folder, test) = try division(path) else {
            return DatasetSplits(format: .folder, train: try FolderDataset(path, options: options), test: nil, unlabelled: nil)
        }
        let train = try FolderDataset(folder, options: options)
        guard heldOut, let test else { return DatasetSplits(format: .folder, train: train, test: nil, unlabelled: nil) }
        let held = try FolderDataset("\(path)/\(test)", options: options.numbering(train.classNames))
        return DatasetSplits(format: .folder, train: train, test: held, unlabelled: nil)
    }

    private static func openLists(_ path: String, _ options: DatasetOptions, _ heldOut: Bool) throws(DatasetError) -> DatasetSplits {
        guard FolderEntries.isFolder(path) else {
            return DatasetSplits(format: .list, train: try ListDataset(path, options: options), test: nil, unlabelled: nil)
        }
        let entries = try FolderEntries(path)
        let train = try ListDataset("\(path)/train.csv", options: options)
        guard heldOut, let test = testNames.first(where: { entries.files.contains("\($0).csv") }) else {
            return DatasetSplits(format: .list, train: train, test: nil, unlabelled: nil)
        }
        let held = try ListDataset("\(path)/\(test).csv", options: options.numbering(train.classNames))
        return DatasetSplits(format: .list, train: train, test: held, unlabelled: nil)
    }

    /// Opens each part that is there; without a training part, the unlabelled one or the test part takes its place.
    private static func packed(
        _ format: DatasetFormat, _ path: String, _ options: DatasetOptions,
        _ open: (String, DatasetPart, Int?) throws(DatasetError) -> any ImageDataset
    ) throws(DatasetError) -> DatasetSplits {
        var classes = options.classNames?.count
        var parts: [DatasetPart: any ImageDataset] = [:]
        for part in DatasetPart.allCases {
            do throws(DatasetError) {
                let whole = try open(path, part, classes)
                if part == .train, !whole.classNames.isEmpty { classes = whole.classNames.count }
                parts[part] = options.limit.map { whole.randomSubset(limit: $0, seed: options.seed) } ?? whole
            } catch .noSuchPart {
                continue
            }
        }
        if let train = parts[.train] {
            return DatasetSplits(format: format, train: train, test: parts[.test], unlabelled: parts[.unlabelled])
        }
        guard let only = parts[.unlabelled] ?? parts[.test] else { throw .noSuchPart(.train, in: path) }
        return DatasetSplits(format: format, train: only, test: nil, unlabelled: nil)
    }
}

extension DatasetOptions {
    /// The same options with labels numbered by `classNames`; a part without classes leaves the other its own.
    fileprivate func numbering(_ classNames: [String]) -> DatasetOptions {
        var options = self
        if options.classNames == nil, !classNames.isEmpty { options.classNames = classNames }
        return options
    }
}
