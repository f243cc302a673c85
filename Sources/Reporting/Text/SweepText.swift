public import Files

extension SweepTable {
    /// What has no number, in words; nil where everything has one.
    var missing: String? {
        let names = (self.diverged ?? []).map { run in
            (zip(axes.map(\.name), run.values).map { "\($0)=\($1)" } + ["seed \(run.seed)"]).joined(separator: " ")
        }
        let diverged = names.count
        let parts: [String?] = [
            rows.count + diverged < runs ? "\(rows.count) of \(runs) runs are done" : nil,
            diverged > 0 ? "\(diverged) of \(runs) runs diverged: \(names.joined(separator: ", "))" : nil,
        ]
        let said = parts.compactMap(\.self)
        return said.isEmpty ? nil : said.joined(separator: ", ")
    }

    private var style: NumberStyle { rows.first?.result.style ?? .plain }

    /// Heat-maps over the last two axes, one for each value of those before them; nil for one axis.
    public var heatMaps: [HeatMap] {
        guard axes.count >= 2 else { return [] }
        var outer: [[String]] = [[]]
        for axis in axes.dropLast(2) { outer = outer.flatMap { row in axis.values.map { row + [$0] } } }
        let (down, across) = (axes[axes.count - 2], axes[axes.count - 1])
        return outer.map { before in
            var map = HeatMap(
                title: before.isEmpty ? measured : "\(measured), \(before.joined(separator: ", "))", xLabel: across.name, yLabel: down.name,
                columns: across.values, rows: down.values,
                values: down.values.map { row in across.values.map { value(at: before + [row, $0]) } })
            map.style = style
            return map
        }
    }

    /// A row for each combination of all axes but the last, whose values stand across; several seeds as their mean.
    public var text: String {
        let last = axes[axes.count - 1]
        var table = TextTable(axes.dropLast().map(\.name) + last.values.map { axes.count > 1 ? "\(last.name) \($0)" : $0 })
        if axes.count > 1, last.values.count > 4 || last.name.count > 16 { table.headers = axes.dropLast().map(\.name) + last.values }
        var outer: [[String]] = [[]]
        for axis in axes.dropLast() { outer = outer.flatMap { row in axis.values.map { row + [$0] } } }
        for before in outer {
            table.append(before + last.values.map { column in value(at: before + [column]).map(style.text) ?? TextTable.missing })
        }
        let done = missing.map { "; \($0)" } ?? ""
        return "\(measured), \(axes.map(\.name).joined(separator: " × "))\(done)\n\(table.render())"
    }
}
