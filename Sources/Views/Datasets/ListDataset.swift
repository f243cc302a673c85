internal import Files

/// Images named in a CSV file: a path, relative to the CSV's folder or absolute, and perhaps a label.
///
/// With a header (recognised by its names) the columns may stand in any order: the first of `path`, `file`, `filename`,
/// `file_name`, `filepath`, `image`, `image_path`, `name` is the path, and the first of `label`, `class`, `class_name`, `category`,
/// `target` the label. Without one, the first column is the path and the second the label. Labels are names (numbers, too):
/// classes are the different ones in natural order. An empty label means that there is none.
public struct ListDataset: ImageDataset {
    /// The CSV file.
    public let file: String
    public let classNames: [String]

    private let folder: String
    private let paths: NameTable
    private let labels: [Int32]
    private let decoder: ImageDecoder

    private static let pathColumns = ["path", "file", "filename", "file_name", "filepath", "image", "image_path", "name"]
    private static let labelColumns = ["label", "class", "class_name", "category", "target"]

    /// Reads the list; of the images only the first few are looked for.
    ///
    /// - Throws: ``DatasetError`` when the file cannot be read or names no image, a line is broken, none of the first
    ///   hundred images is there, or a label is not in `options.classNames`.
    public init(_ file: String, options: DatasetOptions = DatasetOptions()) throws(DatasetError) {
        let contents: FileBytes
        do throws(ImageError) { contents = try FileBytes(file) } catch { throw DatasetError(error, file: file) }
        let slash = file.lastIndex(of: "/")
        let folder = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."

        var reader = CSV.Reader(contents.bytes)
        var paths = NameTable()
        var names: [String] = []
        var numbers: [String: Int32] = [:]
        var labels: [Int32] = []
        var (pathColumn, labelColumn): (Int, Int?) = (0, 1)
        var isFirst = true
        while let (line, fields) = try Self.next(&reader, file) {
            if isFirst {
                isFirst = false
                let header = fields.map { $0.lowercased() }
                if let path = header.firstIndex(where: Self.pathColumns.contains) {
                    (pathColumn, labelColumn) = (path, header.firstIndex(where: Self.labelColumns.contains))
                    continue
                }
            }
            guard pathColumn < fields.count, !fields[pathColumn].isEmpty else {
                throw .badLine(file: file, line: line, reason: "no path: expected path,label")
            }
            paths.append(fields[pathColumn])
            guard let column = labelColumn, column < fields.count, !fields[column].isEmpty else {
                labels.append(-1)
                continue
            }
            let name = fields[column]
            if let number = numbers[name] {
                labels.append(number)
            } else {
                labels.append(Int32(names.count))
                numbers[name] = Int32(names.count)
                names.append(name)
            }
        }
        guard paths.count > 0 else { throw .badLine(file: file, line: 1, reason: "the list names no image: expected lines path,label") }
        guard (0..<min(100, paths.count)).contains(where: { FolderEntries.exists(Self.resolve(paths[$0], in: folder)) }) else {
            throw .badLine(
                file: file, line: 1,
                reason: "no such image: \(Self.resolve(paths[0], in: folder)): paths are relative to the folder of the list")
        }

        // From the order of appearance to the natural one.
        let classNames = options.classNames ?? names.sorted(by: NaturalOrder.precedes)
        let order = Dictionary(zip(classNames, classNames.indices.map { Int32($0) }), uniquingKeysWith: { first, _ in first })
        var final: [Int32] = []
        for name in names {
            guard let label = order[name] else { throw .unknownClass(name, in: file) }
            final.append(label)
        }
        let kept = RandomSubset.indices(of: paths.count, limit: options.limit, seed: options.seed)
        self.paths = paths.keeping(kept)
        self.labels = kept.map { labels[$0] < 0 ? -1 : final[Int(labels[$0])] }
        self.classNames = classNames
        self.file = file
        self.folder = folder
        decoder = options.decoder
    }

    private static func next(_ reader: inout CSV.Reader, _ file: String) throws(DatasetError) -> (line: Int, fields: [String])? {
        do throws(CSV.Failure) { return try reader.next() } catch {
            throw .badLine(file: file, line: error.line, reason: error.reason)
        }
    }

    private static func resolve(_ path: String, in folder: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    public var count: Int { paths.count }

    public func label(at index: Int) -> Int? { labels[index] < 0 ? nil : Int(labels[index]) }

    public func name(at index: Int) -> String { paths[index] }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try decoder.decode(file: Self.resolve(paths[index], in: folder), coveringAtLeast: target)
    }

    public func fingerprint(at index: Int) -> UInt64? { Self.fingerprint(ofFile: Self.resolve(paths[index], in: folder)) }
}
