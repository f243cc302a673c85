/// Image files in a folder and the folders below it.
///
/// When sub-folders of the root hold images, each of them is a class, named like the folder and numbered in natural order;
/// what lies deeper belongs to it, and images directly in the root have no label. Otherwise there are no classes. File
/// names are kept in one buffer, so that a million files take some ten megabytes.
public struct FolderDataset: ImageDataset {
    public let root: String
    public let classNames: [String]
    /// Files below the root that are hidden or do not end like an image.
    public let ignoredFiles: Int

    private let names: NameTable
    private let folderOfFile: [UInt32]
    private let folders: [String]
    private let labelOfFolder: [Int?]
    private let decoder: ImageDecoder

    /// Lists the folder; no image is opened.
    ///
    /// - Throws: ``DatasetError`` when the folder or one below it cannot be read, holds no image, or has a class that
    ///   `options.classNames` lacks.
    public init(_ root: String, options: DatasetOptions = DatasetOptions()) throws(DatasetError) {
        let listing = try FolderListing(root)
        guard listing.names.count > 0 else {
            throw .noImages(
                folder: root, ignoredFiles: listing.ignoredFiles, archive: listing.archive, video: listing.videos.min())
        }
        if let line = Self.leftOut(listing.otherImages, of: root) { options.note(line) }
        var hasImages = [Bool](repeating: false, count: listing.folders.count)
        for folder in listing.folderOfFile { hasImages[Int(folder)] = true }

        // The order of the listing is natural already.
        var found: [String] = []
        for (folder, used) in zip(listing.folders, hasImages) where used && !folder.isEmpty {
            let name = Self.classFolder(folder)
            if found.last != name { found.append(name) }
        }
        let classNames = options.classNames ?? found
        let labels = Dictionary(zip(classNames, classNames.indices), uniquingKeysWith: { first, _ in first })
        var labelOfFolder: [Int?] = []
        for (folder, used) in zip(listing.folders, hasImages) {
            guard used, !folder.isEmpty else {
                labelOfFolder.append(nil)
                continue
            }
            let name = Self.classFolder(folder)
            guard let label = labels[name] else { throw .unknownClass(name, in: root) }
            labelOfFolder.append(label)
        }

        let kept = RandomSubset.indices(of: listing.names.count, limit: options.limit, seed: options.seed)
        names = listing.names.keeping(kept)
        folderOfFile = kept.map { listing.folderOfFile[$0] }
        folders = listing.folders
        ignoredFiles = listing.ignoredFiles
        decoder = options.decoder
        self.root = root
        self.classNames = classNames
        self.labelOfFolder = labelOfFolder
    }

    /// - Parameter images: how many have each ending.
    private static func leftOut(_ images: [String: Int], of root: String) -> String? {
        let count = images.values.reduce(0, +)
        guard count > 0 else { return nil }
        let kinds = images.sorted { $0.key < $1.key }.map { "\($0.value) .\($0.key)" }.joined(separator: ", ")
        return "\(root): \(count) \(count == 1 ? "image is" : "images are") left out, of kinds that are not read (\(kinds)): "
            + "convert them to JPEG or PNG"
    }

    private static func classFolder(_ path: String) -> String { String(path.prefix { $0 != "/" }) }

    public var count: Int { names.count }

    public func label(at index: Int) -> Int? { labelOfFolder[Int(folderOfFile[index])] }

    public func name(at index: Int) -> String {
        let folder = folders[Int(folderOfFile[index])]
        return folder.isEmpty ? names[index] : "\(folder)/\(names[index])"
    }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try decoder.decode(file: "\(root)/\(name(at: index))", coveringAtLeast: target)
    }

    public func fingerprint(at index: Int) -> UInt64? { Self.fingerprint(ofFile: "\(root)/\(name(at: index))") }

    /// Memory that the list of files takes, in bytes.
    var footprint: Int { names.footprint + folderOfFile.capacity * MemoryLayout<UInt32>.stride }
}
