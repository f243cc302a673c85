/// All that lies at a path, for who asks for every image and not for the part to train on.
public enum WholeDataset {
    /// The parts of a packed set or of lists; a folder is one part, whatever its sub-folders mean.
    /// - Throws: `DatasetError`
    public static func parts(
        _ path: String, options: DatasetOptions = DatasetOptions()
    ) throws(DatasetError) -> [(name: String, images: any ImageDataset)] {
        // Nothing depends on the held-out part's classes being the training part's.
        var splits = try DatasetSplits.open(path, heldOut: false)
        if splits.format == .folder {
            let whole = try FolderDataset(path, options: options)
            // The training part's names do not begin with it.
            let isDivided = splits.train.name(at: 0) != whole.name(at: 0)
            let images: any ImageDataset = isDivided ? DividedFolder(whole) : whole
            return [("all", images)]
        }
        if splits.format == .list { splits = try DatasetSplits.open(path, options: options) }
        let all: [(String, (any ImageDataset)?)] = [("train", splits.train), ("test", splits.test), ("unlabelled", splits.unlabelled)]
        return all.compactMap { name, images in images.map { (name, $0) } }
    }

    /// All of it as one.
    /// - Throws: `DatasetError`
    public static func open(_ path: String, options: DatasetOptions = DatasetOptions()) throws(DatasetError) -> any ImageDataset {
        let parts = try parts(path, options: options).map(\.images)
        return parts.count == 1 ? parts[0] : JoinedDataset(parts)
    }
}

/// A folder divided into train/, test/ and the like: the classes are the folders below those.
private struct DividedFolder: ImageDataset {
    let whole: FolderDataset
    let classNames: [String]
    private let labels: [Int?]

    init(_ whole: FolderDataset) {
        self.whole = whole
        // part/class/…/image; what lies directly in a part has no label.
        let found = (0..<whole.count).map { index in
            let path = whole.name(at: index).split(separator: "/")
            return path.count > 2 ? String(path[1]) : nil
        }
        classNames = Set(found.compactMap { $0 }).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices))
        labels = found.map { $0.flatMap { numbers[$0] } }
    }

    var count: Int { whole.count }
    func label(at index: Int) -> Int? { labels[index] }
    func name(at index: Int) -> String { whole.name(at: index) }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try whole.image(at: index, coveringAtLeast: target)
    }
    func fingerprint(at index: Int) -> UInt64? { whole.fingerprint(at: index) }
}

/// Several sets one after the other, with the classes of the first that has any; the others' are the same or none.
private struct JoinedDataset: ImageDataset {
    private let parts: [any ImageDataset]
    private let starts: [Int]
    let count: Int
    let classNames: [String]

    init(_ parts: [any ImageDataset]) {
        self.parts = parts
        starts = parts.reduce(into: [0]) { $0.append($0.last! + $1.count) }
        count = starts.last!
        classNames = parts.first { !$0.classNames.isEmpty }?.classNames ?? []
    }

    private func place(_ index: Int) -> (part: any ImageDataset, index: Int) {
        let part = starts.lastIndex { $0 <= index }!
        return (parts[part], index - starts[part])
    }

    func label(at index: Int) -> Int? {
        let place = place(index)
        return place.part.label(at: place.index)
    }
    func name(at index: Int) -> String {
        let place = place(index)
        return place.part.name(at: place.index)
    }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        let place = place(index)
        return try place.part.image(at: place.index, coveringAtLeast: target)
    }
    func fingerprint(at index: Int) -> UInt64? {
        let place = place(index)
        return place.part.fingerprint(at: place.index)
    }
}
