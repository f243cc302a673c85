internal import Files

/// Accuracy against the number of labels: what the encoder is for.
struct LabelsSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.labels, !found.curves.isEmpty else {
            section = nil
            return
        }
        let curves = AccuracyCurves(
            title: "accuracy", unit: "mean over draws",
            curves: found.curves.map { curve in
                AccuracyCurves.Curve(
                    name: curve.name,
                    points: curve.points.map { .init(labels: $0.labels, value: $0.value, lower: $0.lower, upper: $0.upper) })
            })
        let data = found.data.map { " of \($0)" } ?? ""
        section = ReportSection(
            id: "labels", title: "Labels saved",
            explanation: """
                Accuracy on \(NumberStyle.count(found.testImages)) test images\(data) against the number of labelled training \
                images. Lines and brackets are 95 % intervals over draws of the labelled images (of one draw: over test images).
                """,
            content: """
                \(curves.chart.figures(height: 340))\
                <ul>\((found.sentences + (found.notes ?? [])).map { "<li>\($0)</li>" as Markup })</ul>
                \(Self.savings(found))\(AccuracyCurves.table([curves], named: "Curve"))
                """)
    }

    /// What the encoder saves at every number of labels, folded away.
    private static func savings(_ found: LabelCurves) -> Markup {
        guard !found.savings.isEmpty else { return .empty }
        let rows = found.savings.map { saving -> Markup in
            let cells = [
                NumberStyle.count(saving.labels), NumberStyle.percent.text(saving.accuracy), found.needed(saving), found.saved(saving),
            ]
            return "<tr><th scope=\"row\">\(saving.curve)</th>\(cells.map { "<td>\($0)</td>" as Markup })</tr>\n"
        }
        let heads = ["Curve", "Supervised labels", "Their accuracy", "Labels needed", "Hours saved"]
        return """
            <details><summary>Labels and hours saved at every point</summary><div class="scroll"><table class="plain"><thead><tr>\
            \(heads.map { "<th scope=\"col\">\($0)</th>" as Markup })</tr></thead><tbody>
            \(rows)</tbody></table></div></details>
            """
    }
}
