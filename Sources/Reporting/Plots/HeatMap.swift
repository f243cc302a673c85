/// Values of a grid as shades, each with its number: the number is what is read, the shade shows the pattern.
public struct HeatMap: Sendable {
    public var title: String
    public var unit: String?
    public var xLabel: String
    public var yLabel: String
    public var columns: [String]
    public var rows: [String]
    /// `values[row][column]`, nil where there is none yet.
    public var values: [[Double?]]
    public var style = NumberStyle.plain
    public var width = 720.0
    public var standalone = false

    public init(title: String, xLabel: String, yLabel: String, columns: [String], rows: [String], values: [[Double?]]) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.columns = columns
        self.rows = rows
        self.values = values
    }

    public func svg() -> String { markup().text }

    func markup() -> Markup {
        let left = min((rows.map { Drawing.width($0) }.max() ?? 0) + 12, width * 0.35)
        let cell = max(1, (width - left) / Double(max(1, columns.count)))
        let height = min(34.0, max(24, cell * 0.6))
        let top = 62.0
        let known = values.joined().compactMap(\.self).filter(\.isFinite)
        let (lower, upper) = (known.min() ?? 0, known.max() ?? 1)
        var content = Drawing.heading(title, unit: unit, width: width)
        content += #"<text x="0" y="34" font-size="11.5" opacity="0.75">\#(yLabel) down, \#(xLabel) across</text>\#n"#
        for (place, name) in columns.enumerated() {
            content += """
                <text x="\(left + (Double(place) + 0.5) * cell)" y="\(top - 8)" text-anchor="middle" font-size="11">\
                \(Drawing.truncated(name, to: cell - 4, size: 11))</text>

                """
        }
        for (number, name) in rows.enumerated() {
            let y = top + Double(number) * height
            content += """
                <text x="\(left - 8)" y="\(y + height / 2 + 4)" text-anchor="end" font-size="12">\
                \(Drawing.truncated(name, to: left - 10))</text>

                """
            for (place, column) in columns.enumerated() {
                let x = left + Double(place) * cell
                let value = number < values.count && place < values[number].count ? values[number][place] : nil
                guard let value, value.isFinite else {
                    content += """
                        <g><title>\(name), \(column): not done</title><rect x="\(x + 1)" y="\(y + 1)" width="\(cell - 2)" \
                        height="\(height - 2)" rx="2" fill="none" stroke="currentColor" stroke-opacity="0.2" stroke-dasharray="3 3"/></g>

                        """
                    continue
                }
                let share = upper > lower ? (value - lower) / (upper - lower) : 1
                let isBest = value == upper
                // Pale enough for the number to be read in either scheme.
                content += """
                    <g><title>\(name), \(column): \(style.text(value))</title><rect x="\(x + 1)" y="\(y + 1)" width="\(cell - 2)" \
                    height="\(height - 2)" rx="2" fill="\(Palette.color(0))" fill-opacity="\(0.04 + 0.5 * share)"/>\
                    <text x="\(x + cell / 2)" y="\(y + height / 2 + 4)" text-anchor="middle" font-size="12" \
                    font-weight="\(isBest ? "700" : "400")">\(style.bareText(value))</text></g>

                    """
            }
        }
        return Drawing.frame(
            width: width, height: top + Double(rows.count) * height + 6, title: title, kind: "heat", standalone: standalone, content)
    }
}
