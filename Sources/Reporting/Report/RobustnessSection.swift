internal import Files

/// Accuracy against the severity of corruptions, and a table of every corruption for the first encoder.
struct RobustnessSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.robustness, let subject = found.rows.first?.encoder else {
            section = nil
            return
        }
        let classifiers = found.rows.map(\.classifier).uniqued()
        let charts = classifiers.map { classifier -> Markup in
            var chart = LineChart(
                title: "accuracy, \(EvaluationResult.title(ofProtocol: classifier))", unit: "mean over corruptions",
                xLabel: "severity, 0 is clean",
                series: found.rows.map(\.encoder).uniqued().map { Self.series(found, $0, classifier) })
            chart.style = .percent
            return chart.figures(height: 300)
        }
        let data = found.data.map { " of \($0)" } ?? ""
        let hasOwn = found.rows.contains { !$0.isComparable }
        section = ReportSection(
            id: "robustness", title: "Robustness",
            explanation: """
                Classifiers of clean training images, tested on \(NumberStyle.count(found.testImages)) images\(data) under corruptions \
                with the constants of \(found.constants) (Hendrycks and Dietterich 2019).\
                \(hasOwn ? " Frost is computed here, not photographed: it is not comparable and not in the means." : "")
                """,
            content: "\(charts)\(classifiers.map { Self.table(found, subject, $0) })")
    }

    /// Means over the comparable corruptions of the paper's main set, from clean to the worst severity.
    private static func series(_ found: RobustnessTable, _ encoder: String, _ classifier: String) -> LineChart.Series {
        let rows = found.rows.filter { $0.encoder == encoder && $0.classifier == classifier }
        let main = rows.filter { $0.isComparable && $0.family != "extra" }
        let shown = main.isEmpty ? rows : main
        let means = found.severities.indices.map { place -> Double? in
            let values = shown.compactMap { place < $0.accuracies.count ? $0.accuracies[place] : nil }
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        let clean = found.clean.first { $0.encoder == encoder && $0.classifier == classifier }?.accuracy
        return LineChart.Series(name: encoder, x: [0] + found.severities.map(Double.init), y: [clean] + means)
    }

    private static func table(_ found: RobustnessTable, _ encoder: String, _ classifier: String) -> Markup {
        let style = NumberStyle.percent
        let rows = found.rows.filter { $0.encoder == encoder && $0.classifier == classifier }
        let blocks = rows.map(\.family).uniqued().map { family -> Markup in
            let lines = rows.filter { $0.family == family }.map { row -> Markup in
                let name = row.corruption.replacing("-", with: " ") + (row.isComparable ? "" : " (not comparable)")
                return """
                    <tr><th scope="row">\(name)</th>\(row.accuracies.map { "<td>\(style.bareText($0))</td>" as Markup })</tr>

                    """
            }
            return """
                <tbody><tr class="block"><th colspan="\(found.severities.count + 1)" scope="rowgroup">\(family)</th></tr>
                \(lines)</tbody>

                """
        }
        let title = "\(encoder), \(EvaluationResult.title(ofProtocol: classifier)): accuracy in % by severity"
        // Not of the class `results`, whose rows a phone shows in two columns without their heads.
        return """
            <h3>\(title)</h3><div class="scroll"><table class="plain"><thead><tr><th scope="col">Corruption</th>\
            \(found.severities.map { "<th scope=\"col\">\($0)</th>" as Markup })</tr></thead>
            \(blocks)</table></div>
            """
    }
}
