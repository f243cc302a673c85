internal import Files
public import Foundation

/// `report.html`: one file that shows what a run's encoder is worth and how it came about. It needs no network and no other file.
public enum RunReport {
    public static let fileName = "report.html"

    /// Writes the report into the run folder and gives its place. Damaged files cost their section only; the report lists them.
    @discardableResult
    public static func write(runFolder: URL) throws(ReportError) -> URL {
        let html = try html(runFolder: runFolder)
        let file = runFolder.appendingPathComponent(fileName)
        do { try AtomicFile.write(html, to: file.path) } catch { throw .unwritable(file: file.path, reason: error.description) }
        return file
    }

    /// The same, by path.
    @discardableResult
    public static func write(_ runFolder: String) throws(ReportError) -> String {
        try write(runFolder: URL(fileURLWithPath: runFolder)).path
    }

    /// The report as text; the same folder gives the same bytes.
    public static func html(runFolder: URL) throws(ReportError) -> String {
        let contents = RunContents(try RunFolderReader(runFolder))
        guard !contents.isEmpty else { throw .nothingToReport(runFolder.path) }
        return ReportPage(contents).html
    }
}
