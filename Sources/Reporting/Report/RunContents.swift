internal import Files

/// Everything a run folder holds, as far as it can be read; what cannot is a note.
struct RunContents {
    var folder: RunFolderReader
    var summary: RunSummary?
    var timing: RunTiming?
    var recipe: String?
    var metrics: MetricTable?
    var health: HealthVerdict?
    var unreadable: [RunFolderReader.UnreadableFile]?
    var unreadableInEvaluation: [RunFolderReader.UnreadableFile]?
    var results: [EvaluationResult]?
    var differences: [EvaluationDifference]?
    var labels: LabelCurves?
    var robustness: RobustnessTable?
    var transfer: TransferTable?
    var sweep: SweepTable?
    var quality: QualityTable?
    var mistakes: MistakeSheet?
    var pictures: PictureSheet?
    var neighbours: NeighbourSheet?
    var map: EmbeddingMap?
    var hasViews = false
    var notes: [String] = []

    init(_ folder: RunFolderReader) {
        self.folder = folder
        var notes: [String] = []
        func read<Value>(_ body: ((String) -> Void) throws(ReportError) -> Value?) -> Value? {
            do throws(ReportError) { return try body { notes.append($0) } } catch {
                notes.append(error.description)
                return nil
            }
        }
        summary = read { _ throws(ReportError) in try folder.summary() }
        timing = read { _ throws(ReportError) in try folder.timing() }
        recipe = read { _ throws(ReportError) in try folder.recipe() }
        metrics = read { _ throws(ReportError) in try folder.metrics() }
        health = read { _ throws(ReportError) in try folder.health() }
        unreadable = read { _ throws(ReportError) in try folder.unreadableFiles() }
        unreadableInEvaluation = read { _ throws(ReportError) in try folder.unreadableFilesOfEvaluation() }
        results = read { note throws(ReportError) in try folder.results(note: note) }
        differences = read { note throws(ReportError) in try folder.differences(note: note) }
        labels = read { _ throws(ReportError) in try folder.labels() }
        robustness = read { _ throws(ReportError) in try folder.robustness() }
        transfer = read { _ throws(ReportError) in try folder.transfer() }
        quality = read { _ throws(ReportError) in try folder.quality() }
        sweep = read { _ throws(ReportError) in try folder.sweep() }
        mistakes = read { _ throws(ReportError) in try folder.mistakes() }
        pictures = read { note throws(ReportError) in try folder.pictures(note: note) }
        neighbours = read { note throws(ReportError) in try folder.neighbours(note: note) }
        map = read { note throws(ReportError) in try folder.map(note: note) }
        hasViews = folder.exists("evaluation/views.png")
        if let metrics {
            for (column, rows) in metrics.notFinite {
                notes.append("metrics.csv: \(column) is not a finite number in \(rows) of \(metrics.rows.count) rows")
            }
        }
        self.notes = notes
    }

    var isEmpty: Bool {
        summary == nil && recipe == nil && metrics == nil && health == nil && unreadable == nil && results == nil && labels == nil
            && neighbours == nil && pictures == nil && transfer == nil && quality == nil && sweep == nil && mistakes == nil
            && map == nil && !hasViews && notes.isEmpty
    }
}
