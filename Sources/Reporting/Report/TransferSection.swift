internal import Files

/// SimCLR's table 8.
struct TransferSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.transfer, !found.rows.isEmpty else {
            section = nil
            return
        }
        let heads = found.sets.map { set -> Markup in
            let counts = [set.classes, set.trainImages, set.testImages].map(NumberStyle.count)
            let about = "\(counts[0]) classes, \(counts[1]) training and \(counts[2]) test images"
            return "<th scope=\"col\" title=\"\(about)\">\(set.name)</th>"
        }
        let blocks = found.rows.map(\.block).uniqued().map { block -> Markup in
            let lines = found.rows.filter { $0.block == block }.map { row -> Markup in
                let cells = row.cells.map { cell -> Markup in
                    let range: Markup = cell?.intervalText.map { "<br/><small>\($0)</small>" } ?? .empty
                    return "<td>\(TransferTable.text(cell, hasInterval: false))\(range)</td>"
                }
                return "<tr><th scope=\"row\">\(row.encoder)</th>\(cells)</tr>\n"
            }
            let title = TransferTable.title(ofBlock: block)
            return """
                <tbody><tr class="block"><th colspan="\(found.sets.count + 1)" scope="rowgroup">\(title)</th></tr>
                \(lines)</tbody>

                """
        }
        section = ReportSection(
            id: "transfer", title: "Transfer",
            explanation: """
                Linear evaluation and fine-tuning with all labels, in % with 95 % intervals, in the form of SimCLR’s table 8 (Chen \
                et al. 2020); \(found.notes.joined(separator: "; ")).
                """,
            content: """
                <div class="scroll"><table class="plain"><thead><tr><th scope="col">Encoder</th>\(heads)</tr></thead>
                \(blocks)</table></div>
                """)
    }
}
