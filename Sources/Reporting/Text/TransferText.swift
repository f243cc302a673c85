public import Files

extension TransferTable {
    /// SimCLR's table 8: a block for linear evaluation and one for fine-tuning, data sets across, in per cent. Half the 95 % interval
    /// stands behind each value as long as that fits `width` columns; it is in transfer-results.csv in any case.
    public func text(width: Int = 100) -> String {
        let withIntervals = render(hasIntervals: true, width: .max)
        let widest = withIntervals.split(separator: "\n").map { DisplayWidth.of(String($0)) }.max() ?? 0
        let table = widest <= width ? withIntervals : render(hasIntervals: false, width: width)
        return ([table] + notes.map { Paragraph.text($0, width: width) }).joined(separator: "\n")
    }

    /// Which metric stands in which column, and which numbers of the encoders mean less than they seem.
    var notes: [String] {
        let averaged = sets.filter { $0.metric == "mean-per-class" }.map(\.name)
        let held = sets.filter { $0.split != "test" }.map(\.name)
        var notes = [averaged.isEmpty ? "top-1 accuracy" : "mean per-class accuracy: \(averaged.joined(separator: ", ")); others: top-1"]
        if averaged.count == sets.count { notes = ["mean per-class accuracy"] }
        if !held.isEmpty { notes.append("without a test split, tested on a fifth of each class: \(held.joined(separator: ", "))") }
        for (place, set) in sets.enumerated() {
            let found = rows.filter { $0.encoder != "random init" }.compactMap { $0.cells[place]?.note }.uniqued()
            notes += found.map { "\(set.name): \($0)".withoutControls }
        }
        return notes
    }

    static func title(ofBlock block: String) -> String { block == "linear" ? "linear evaluation" : block }

    static func text(_ cell: EvaluationResult?, hasInterval: Bool) -> String {
        guard let cell else { return TextTable.missing }
        let style = NumberStyle.percent
        guard hasInterval, let lower = cell.lower, let upper = cell.upper else { return style.bareText(cell.value) }
        return "\(style.bareText(cell.value)) ±\(style.bareText((upper - lower) / 2))"
    }

    private func render(hasIntervals: Bool, width: Int) -> String {
        var table = TextTable(["%"] + sets.map { DisplayWidth.truncated($0.name.withoutControls, to: 16) }, maximumWidth: width)
        for block in rows.map(\.block).uniqued() {
            table.append([Self.title(ofBlock: block)])
            for row in rows where row.block == block {
                let name = DisplayWidth.truncated(row.encoder.withoutControls, to: 24)
                table.append(["  \(name)"] + row.cells.map { Self.text($0, hasInterval: hasIntervals) })
            }
        }
        return table.render()
    }
}
