internal import Files

/// `metrics.csv`: one row per epoch, any columns. Cells that are empty or hold no finite number are gaps.
public struct MetricTable: Sendable, Equatable {
    public let columns: [String]
    /// As many cells in every row as there are columns.
    public let rows: [[Double?]]
    /// Columns with cells such as `nan`, and in how many rows: a gap in a curve does not tell why it is there.
    public let notFinite: [(column: String, rows: Int)]

    public static func == (a: MetricTable, b: MetricTable) -> Bool { a.columns == b.columns && a.rows == b.rows }

    /// - Parameter records: what `CSV.parse` gives, the header first.
    public init(records: [[String]]) {
        columns = (records.first ?? []).map { $0.trimmingSpaces() }
        var rows: [[Double?]] = []
        var notFinite = [Int](repeating: 0, count: columns.count)
        for record in records.dropFirst() {
            rows.append(
                columns.indices.map { column -> Double? in
                    guard column < record.count, let value = Double(record[column].trimmingSpaces()) else { return nil }
                    guard value.isFinite else {
                        notFinite[column] += 1
                        return nil
                    }
                    return value
                })
        }
        self.rows = rows
        self.notFinite = zip(columns, notFinite).filter { $0.1 > 0 }.map { (column: $0.0, rows: $0.1) }
    }

    public func values(_ column: String) -> [Double?]? {
        columns.firstIndex(of: column).map { index in rows.map { $0[index] } }
    }

    /// Where the rows stand on the horizontal axis: their epoch, else their step, else their number.
    var positions: (name: String, values: [Double?]) {
        for name in ["epoch", "step"] {
            if let values = values(name), values.contains(where: { $0 != nil }) { return (name, values) }
        }
        return ("row", rows.indices.map { Double($0 + 1) })
    }
}

extension String {
    func trimmingSpaces() -> String {
        let blank: Set<Character> = [" ", "\t"]
        return String(drop { blank.contains($0) }.reversed().drop { blank.contains($0) }.reversed())
    }
}
