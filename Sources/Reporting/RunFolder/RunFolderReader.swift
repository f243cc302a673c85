public import Files
public import Foundation

/// A run folder, read file by file. A missing file is nil; a damaged one throws a line that names it. Where single rows are
/// damaged, they are left out and `note` is told, so that one bad row does not cost the others.
public struct RunFolderReader: Sendable {
    public let url: URL

    public init(_ url: URL) throws(ReportError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw .noFolder(url.path)
        }
        self.url = url
    }

    public func summary() throws(ReportError) -> RunSummary? { try json("summary.json") }

    public func timing() throws(ReportError) -> RunTiming? { try json("timing.json") }

    public func health() throws(ReportError) -> HealthVerdict? { try json("health.json") }

    public func recipe() throws(ReportError) -> String? {
        try data("recipe.yaml").map { String(decoding: $0, as: UTF8.self) }
    }

    public func metrics() throws(ReportError) -> MetricTable? {
        try records("metrics.csv").map { MetricTable(records: $0) }
    }

    public struct UnreadableFile: Sendable, Equatable {
        public var name: String
        public var reason: String
    }

    /// Of training.
    public func unreadableFiles() throws(ReportError) -> [UnreadableFile]? { try unreadableFiles(in: "unreadable.csv") }

    /// Of the last measurement.
    public func unreadableFilesOfEvaluation() throws(ReportError) -> [UnreadableFile]? {
        try unreadableFiles(in: "evaluation/unreadable.csv")
    }

    private func unreadableFiles(in file: String) throws(ReportError) -> [UnreadableFile]? {
        guard let records = try records(file) else { return nil }
        let rows = records.first?.first == "name" ? records.dropFirst() : records[...]
        return rows.map { UnreadableFile(name: $0[0], reason: $0.count > 1 ? $0[1] : "") }
    }

    public func results(note: (String) -> Void = { _ in }) throws(ReportError) -> [EvaluationResult]? {
        let file = "evaluation/results.json"
        let rows: [Lenient<EvaluationResult>]? = try json(file)
        return rows.map { Lenient.values($0, what: "row", file: file, note: note) }
    }

    public func differences(note: (String) -> Void = { _ in }) throws(ReportError) -> [EvaluationDifference]? {
        let file = "evaluation/differences.json"
        let rows: [Lenient<EvaluationDifference>]? = try json(file)
        return rows.map { Lenient.values($0, what: "row", file: file, note: note) }
    }

    public func labels() throws(ReportError) -> LabelCurves? { try json("evaluation/labels.json") }

    public func transfer() throws(ReportError) -> TransferTable? { try json("evaluation/transfer.json") }

    public func quality() throws(ReportError) -> QualityTable? { try json("evaluation/quality.json") }

    public func sweep() throws(ReportError) -> SweepTable? { try json("evaluation/sweep.json") }

    public func robustness() throws(ReportError) -> RobustnessTable? { try json("evaluation/robustness.json") }

    public func mistakes() throws(ReportError) -> MistakeSheet? { try json("evaluation/mistakes.json") }

    public func pictures(note: (String) -> Void = { _ in }) throws(ReportError) -> PictureSheet? {
        struct Rows: Decodable { var rows: [Lenient<PictureSheet.Row>] }
        let file = "evaluation/pictures.json"
        let sheet: Rows? = try json(file)
        return sheet.map { PictureSheet(rows: Lenient.values($0.rows, what: "row", file: file, note: note)) }
    }

    public func neighbours(note: (String) -> Void = { _ in }) throws(ReportError) -> NeighbourSheet? {
        struct Rows: Decodable { var rows: [Lenient<NeighbourSheet.Row>] }
        let file = "evaluation/neighbours.json"
        let sheet: Rows? = try json(file)
        return sheet.map { NeighbourSheet(rows: Lenient.values($0.rows, what: "row", file: file, note: note)) }
    }

    public func map(note: (String) -> Void = { _ in }) throws(ReportError) -> EmbeddingMap? {
        struct Points: Decodable {
            var method: String?
            var points: [Lenient<EmbeddingMap.Point>]
            var others: [EmbeddingMap.Projection]?
            var classes: [String]?
        }
        let file = "evaluation/map.json"
        let map: Points? = try json(file)
        return map.map { map in
            let points = Lenient.values(map.points, what: "point", file: file, note: note)
            // Without a point of its own no place could be told whose it is.
            let others = map.others?.filter { $0.x.count == points.count && $0.y.count == points.count }
            return EmbeddingMap(
                method: map.method, points: points, others: points.count == map.points.count ? others : nil, classes: map.classes)
        }
    }
}

extension RunFolderReader {
    /// More than any honest file of a run; a report that eats the machine's memory helps nobody.
    static let largestFile = 256 << 20

    var name: String { url.lastPathComponent }

    /// What image paths are relative to.
    var evaluation: URL { url.appendingPathComponent("evaluation") }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path) }

    /// The bytes of a regular file, nil if there is none.
    func data(_ name: String) throws(ReportError) -> Data? {
        let file = url.appendingPathComponent(name).resolvingSymlinksInPath()
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file.path) else { return nil }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw .unreadable(file: name, reason: "it is not a regular file")
        }
        if let size = (attributes[.size] as? NSNumber)?.intValue, size > Self.largestFile {
            throw .unreadable(file: name, reason: "it is larger than \(Self.largestFile >> 20) MB")
        }
        do { return try Data(contentsOf: file) } catch {
            throw .unreadable(file: name, reason: (error as NSError).localizedDescription)
        }
    }

    private func records(_ name: String) throws(ReportError) -> [[String]]? {
        guard let data = try data(name) else { return nil }
        do { return try CSV.parse(String(decoding: data, as: UTF8.self)) } catch {
            throw .damaged(file: name, reason: "\(error)")
        }
    }

    private func json<Value: Decodable>(_ name: String) throws(ReportError) -> Value? {
        guard let data = try data(name) else { return nil }
        do { return try JSONDecoder().decode(Value.self, from: data) } catch {
            throw .damaged(file: name, reason: DecodingFailure.line(error))
        }
    }
}
