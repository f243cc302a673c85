internal import Files

/// Checkpoints by what can be told without labels.
struct QualitySection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.quality, !found.rows.isEmpty else {
            section = nil
            return
        }
        let hasAccuracy = found.rows.contains { $0.accuracy != nil }
        let heads = found.measures.map { "<th scope=\"col\">\(QualityTable.title($0))</th>" as Markup }
        let rows = found.rows.map { row -> Markup in
            let cells = found.measures.map { "<td>\(QualityTable.text(row.values[$0], $0))</td>" as Markup }
            let accuracy: Markup = hasAccuracy ? "<td>\(found.accuracy(row))</td>" : .empty
            return "<tr><th scope=\"row\">\(row.checkpoint)</th>\(cells)\(accuracy)</tr>\n"
        }
        let known = found.measures.map { "<td>\(found.correlation($0))</td>" as Markup }
        let correlations: Markup =
            hasAccuracy ? "<tr><th scope=\"row\">Spearman’s ρ with accuracy</th>\(known)<td></td></tr>\n" : .empty
        let choices = found.measures.map { "<td>\(found.choices[$0] ?? "–")</td>" as Markup }
        section = ReportSection(
            id: "quality", title: "Quality without labels",
            explanation: """
                Of \(NumberStyle.count(found.images)) images and \(found.views) views of each, for every checkpoint kept. RankMe, LiDAR \
                and consistency are better when larger, alignment and uniformity when smaller, α-ReQ near 1.
                """,
            content: """
                <div class="scroll"><table class="plain"><thead><tr><th scope="col">Checkpoint</th>\(heads)\
                \(hasAccuracy ? "<th scope=\"col\">Linear accuracy</th>" as Markup : .empty)</tr></thead><tbody>
                \(rows)\(correlations)<tr><th scope="row">It would choose</th>\(choices)\(hasAccuracy ? "<td></td>" as Markup : .empty)</tr>
                </tbody></table></div>
                """)
    }
}
