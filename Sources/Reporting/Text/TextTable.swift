/// A table for the terminal: no boxes, columns aligned, numbers to the right, never wider than asked.
public struct TextTable: Sendable {
    public var headers: [String]
    public var rows: [[String]]
    public var maximumWidth: Int
    /// Long cells go on in the next line instead of being cut.
    public var wraps = false

    public init(_ headers: [String], rows: [[String]] = [], maximumWidth: Int = 100) {
        self.headers = headers
        self.rows = rows
        self.maximumWidth = maximumWidth
    }

    public mutating func append(_ row: [String]) { rows.append(row) }

    /// Lines separated by line feeds, without one at the end and without trailing spaces.
    public func render() -> String {
        let cells = ([headers] + rows).map { row in
            headers.indices.map { $0 < row.count ? row[$0].withoutControls : "" }
        }
        let numeric = headers.indices.map { column in
            let filled = cells.dropFirst().map { $0[column] }.filter { !$0.isEmpty && $0 != Self.missing }
            return !filled.isEmpty && filled.allSatisfy(Self.isNumber)
        }
        let widths = fitted(
            headers.indices.map { column in cells.map { DisplayWidth.of($0[column]) }.max() ?? 0 }, numeric: numeric)
        var rows = cells.map { row in
            let parts = zip(row, widths).map { wraps ? DisplayWidth.wrapped($0, to: $1) : [$0] }
            return (0..<(parts.map(\.count).max() ?? 0)).map { number in
                line(zip(parts, zip(widths, numeric)).map { Self.padded(number < $0.count ? $0[number] : "", to: $1.0, right: $1.1) })
            }.joined(separator: "\n")
        }
        rows.insert(line(widths.map { String(repeating: "─", count: $0) }), at: 1)
        return rows.joined(separator: "\n")
    }

    /// Stands for a value that was not measured.
    static let missing = "–"
    private static let gap = "  "

    private func line(_ cells: [String]) -> String {
        var line = cells.joined(separator: Self.gap)
        while line.last == " " { line.removeLast() }
        return DisplayWidth.truncated(line, to: maximumWidth)
    }

    /// Words give way first, down to `leastText` columns, the widest of them before the others; numbers only if that is not enough.
    private func fitted(_ natural: [Int], numeric: [Bool]) -> [Int] {
        let leastText = 8
        let leastNumber = 3
        var widths = natural
        let available = maximumWidth - Self.gap.count * max(0, widths.count - 1)
        for (isNumber, least) in [(false, leastText), (true, leastNumber), (false, leastNumber)] {
            while widths.reduce(0, +) > available {
                let candidates = widths.indices.filter { numeric[$0] == isNumber && widths[$0] > least }
                guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
            }
        }
        return widths
    }

    private static func padded(_ text: String, to width: Int, right: Bool) -> String {
        let text = DisplayWidth.truncated(text, to: width)
        let padding = String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
        return right ? padding + text : text + padding
    }

    /// A number, perhaps with a unit or an interval behind it (`42.1 % (40.0–44.2)`, `812 MB`).
    static func isNumber(_ text: String) -> Bool {
        let unsigned = text.drop { "+-−±".contains($0) }
        guard let first = unsigned.first, ("0"..."9").contains(first) else { return false }
        return text.filter(\.isLetter).count <= 2
    }
}
