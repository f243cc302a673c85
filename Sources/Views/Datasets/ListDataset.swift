internal import Files

/// Images named in a CSV file: a path, relative to the CSV's folder or absolute, and perhaps a label.
///
/// With a header (recognised by its names) the columns may stand in any order: the first of `path`, `file`, `filename`,
/// `file_name`, `filepath`, `image`, `image_path`, `name` is the path, and the first of `label`, `class`, `class_name`, `category`,
/// `target` the label. Without one, the first column is the path and the second the label. Labels are names (numbers, too):
/// classes are the different ones in natural order. An empty label means that there is none. Spaces around either do not count.
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
    private static let splitColumns = ["split", "subset", "partition"]

    /// Reads the list; of the images only the first few are looked for.
    ///
    /// - Throws: ``DatasetError`` when the file cannot be read or names no image, a line is broken, none of the first
    ///   hundred images is there, an image has two labels, the rows are divided by a column, or a label is not in
    ///   `options.classNames`.
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
        var split: (column: Int, name: String, value: String?)?
        // By the path's hash, which takes less memory than the path.
        var rowOfPath: [Int: Int] = [:]
        var repeated = 0
        var isFirst = true
        while let (line, fields) = try Self.next(&reader, file) {
            if isFirst {
                isFirst = false
                let header = fields.map { $0.lowercased() }
                if let path = header.firstIndex(where: Self.pathColumns.contains) {
                    (pathColumn, labelColumn) = (path, header.firstIndex(where: Self.labelColumns.contains))
                    if let column = header.firstIndex(where: Self.splitColumns.contains) { split = (column, header[column], nil) }
                    continue
                }
            }
            if let (column, name, before) = split, column < fields.count {
                if let before, before != fields[column] {
                    throw .badLine(
                        file: file, line: line,
                        reason: "the column \(name) says \"\(fields[column])\" after \"\(before)\", and columns do not divide a list: "
                            + "write train.csv and test.csv into one folder and give that, or take the column away")
                }
                split = (column, name, fields[column])
            }
            guard pathColumn < fields.count, !fields[pathColumn].isEmpty else {
                throw .badLine(file: file, line: line, reason: "no path: expected path,label")
            }
            let path = fields[pathColumn]
            let name = labelColumn.flatMap { $0 < fields.count ? fields[$0] : nil } ?? ""
            var label: Int32 = -1
            if !name.isEmpty {
                label = numbers[name] ?? Int32(names.count)
                if Int(label) == names.count {
                    numbers[name] = label
                    names.append(name)
                }
            }
            let hash = path.hashValue
            if let row = rowOfPath[hash], paths[row] == path {
                guard labels[row] == label else {
                    let before = labels[row] < 0 ? "" : names[Int(labels[row])]
                    throw .badLine(
                        file: file, line: line,
                        reason: "\(path) has the label \"\(name)\" here and \"\(before)\" in a line before: keep one of the lines")
                }
                repeated += 1
            } else {
                rowOfPath[hash] = paths.count
            }
            paths.append(path)
            labels.append(label)
        }
        if repeated > 0 {
            let lines = repeated == 1 ? "1 line repeats" : "\(repeated) lines repeat"
            options.note("\(file): \(lines) an image of a line before, which counts as often as it is listed")
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
        do throws(CSV.Failure) {
            guard let (line, fields) = try reader.next() else { return nil }
            return (line, fields.map { trimmed($0) })
        } catch {
            throw .badLine(file: file, line: error.line, reason: error.reason)
        }
    }

    private static func trimmed(_ text: String) -> String {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }), let last = text.lastIndex(where: { !$0.isWhitespace }) else {
            return ""
        }
        return String(text[first...last])
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
