/// A dataset in the parts that it is divided into.
public struct DatasetSplits: Sendable {
    public let format: DatasetFormat
    /// The training part, or everything where there is no division.
    public let train: any ImageDataset
    /// The held-out part, with the training part's classes; nil where there is none.
    public let test: (any ImageDataset)?
    /// Pictures for pretraining only (STL-10); nil where there are none.
    public let unlabelled: (any ImageDataset)?

    private static let trainNames = ["train", "training"]
    /// Held-out parts by falling preference: where a set has both, `val` was for choosing settings.
    private static let testNames = ["test", "testing", "val", "valid", "validation"]

    /// Opens what lies at `path`: a folder of images, divided into `train/` and `test/` (or `training/`, `testing/`, `val/`, `valid/`,
    /// `validation/`; capitals do not matter) or not, a CSV list or a folder with `train.csv` and perhaps `test.csv`, CIFAR, STL-10, or
    /// one of MNIST's family.
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

    /// How a folder with these folders is divided into parts, if it is: the training part, and the held-out one where there is one.
    private static func division(_ folders: Set<String>) -> (train: String, test: String?)? {
        let test = first(of: testNames, among: folders)
        // "train" among other folders is a class of vehicles.
        guard let train = first(of: trainNames, among: folders), test != nil || folders.count == 1 else { return nil }
        return (train, test)
    }

    /// The folder that has the first of the names that one has, in capitals or not.
    private static func first(of names: [String], among folders: Set<String>) -> String? {
        for name in names {
            if let found = folders.contains(name) ? name : folders.filter({ $0.lowercased() == name }).min() { return found }
        }
        return nil
    }

    /// What in the division of the folder may have been meant otherwise, in a line each.
    private static func doubts(_ path: String, _ folders: Set<String>) throws(DatasetError) -> [String] {
        let others = folders.filter { !(trainNames + testNames).contains($0.lowercased()) }.sorted(by: NaturalOrder.precedes)
        guard let found = division(folders) else {
            guard others.isEmpty, folders.count > 1 else { return [] }
            let names = folders.sorted(by: NaturalOrder.precedes).joined(separator: " and ")
            return ["\(path): \(names) are taken for classes: call the folder to train on train/ if they are parts"]
        }
        var lines: [String] = []
        if !others.isEmpty {
            let shown = others.prefix(5).joined(separator: ", ") + (others.count > 5 ? ", …" : "")
            lines.append("\(path) is divided into train and test, and what lies beside them is left out: \(shown)")
        }
        let train = "\(path)/\(found.train)"
        if let inner = division(try FolderEntries(train).folders), inner.test != nil {
            lines.append("\(train) is divided once more, and its parts are taken for classes: give \(train) instead")
        }
        return lines
    }

    /// The training part of a folder, or all of it where it is not divided.
    static func trainingFolder(_ path: String) throws(DatasetError) -> String {
        try division(FolderEntries(path).folders).map { "\(path)/\($0.train)" } ?? path
    }

    private static func openFolder(_ path: String, _ options: DatasetOptions, _ heldOut: Bool) throws(DatasetError) -> DatasetSplits {
        let folders = try FolderEntries(path).folders
        for line in try doubts(path, folders) { options.note(line) }
        guard let (training, test) = division(folders) else {
            return DatasetSplits(format: .folder, train: try FolderDataset(path, options: options), test: nil, unlabelled: nil)
        }
        let train = try FolderDataset("\(path)/\(training)", options: options)
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
