internal import Files
internal import Foundation

/// `metrics.csv`: a row per epoch, always whole on disk. Columns are those of the first row.
struct MetricsTable {
    private let path: String
    private var columns: [String] = []
    private var lines: [String] = []

    init(_ path: String) { self.path = path }

    /// What an interrupted run wrote of its first `epochs` epochs: rows after the checkpoint are made again.
    init(_ path: String, epochs: Int) {
        self.path = path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let all = text.split(separator: "\n").map(String.init)
        guard let header = all.first else { return }
        columns = header.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard let place = columns.firstIndex(of: "epoch") else { return }
        lines = all.dropFirst().filter { line in
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            return cells.count == columns.count && Int(cells[place]).map { $0 <= epochs } == true
        }
    }

    mutating func append(_ row: [(name: String, value: Double?)]) throws(FileError) {
        if columns.isEmpty { columns = row.map(\.name) }
        let values = Dictionary(row.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        lines.append(columns.map { Self.text((values[$0] ?? nil)) }.joined(separator: ","))
        try AtomicFile.write(([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n", to: path)
    }

    private static func text(_ value: Double?) -> String {
        guard let value else { return "" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return String(format: "%.7g", value)
    }
}
