internal import Files

/// A sweep's heat-maps, and its runs as a table.
struct SweepSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.sweep, !found.axes.isEmpty else {
            section = nil
            return
        }
        let maps = found.heatMaps.map { map -> Markup in
            var (wide, narrow) = (map, map)
            (wide.width, narrow.width) = (min(760, 150 + 110 * Double(map.columns.count)), 350)
            return #"<figure class="wide">\#(wide.markup())</figure><figure class="narrow">\#(narrow.markup())</figure>\#n"#
        }
        let heads = (found.axes.map(\.name) + ["seed", found.measured]).map { "<th scope=\"col\">\($0)</th>" as Markup }
        let rows = found.rows.map { row -> Markup in
            let cells = (row.values + ["\(row.seed)"]).map { "<td>\($0)</td>" as Markup }
            let note: Markup = row.result.note.map { "<br/><small>\($0)</small>" } ?? .empty
            return "<tr>\(cells)<td>\(row.result.valueAndInterval)\(note)</td></tr>\n"
        }
        let done = found.missing.map { " \($0)." } ?? ""
        section = ReportSection(
            id: "sweep", title: "Sweep",
            explanation: """
                One recipe over a grid, every run measured alike; means over seeds in the maps, 95 % intervals over test images \
                below.\(done)
                """,
            content: """
                \(maps)<div class="scroll"><table class="plain"><thead><tr>\(heads)</tr></thead><tbody>
                \(rows)</tbody></table></div>
                """)
    }
}
