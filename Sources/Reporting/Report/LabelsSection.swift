internal import Files

/// Accuracy against the number of labels: what the encoder is for.
struct LabelsSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        guard let found = contents.labels, !found.curves.isEmpty else {
            section = nil
            return
        }
        var chart = LineChart(
            title: "accuracy", unit: "mean over draws", xLabel: "labels, log scale",
            series: found.curves.map { curve in
                var series = LineChart.Series(
                    name: curve.name, x: curve.points.map { Double($0.labels) }, y: curve.points.map { $0.value })
                series.intervals = curve.points.map { min($0.lower, $0.upper)...max($0.lower, $0.upper) }
                return series
            })
        chart.style = .percent
        chart.logarithmicX = true
        var narrow = chart
        (chart.width, chart.height, narrow.width) = (760, 340, 350)
        let style = NumberStyle.percent
        let rows = found.curves.map { curve -> Markup in
            let points = curve.points.map { point -> Markup in
                """
                <tr><th scope="row">\(curve.name)</th><td>\(NumberStyle.count(point.labels))</td><td class="value"><b>\
                \(style.text(point.value))</b> <small>(\(style.bareText(point.lower))–\(style.bareText(point.upper)))</small></td></tr>

                """
            }
            return "<tbody>\(points)</tbody>"
        }
        section = ReportSection(
            id: "labels", title: "Labels saved",
            explanation: """
                Accuracy on \(NumberStyle.count(found.testImages)) test images against the number of labelled training images. \
                Lines and brackets are 95 % intervals over draws of the labelled images (of one draw: over test images).
                """,
            content: """
                <figure class="wide">\(chart.markup())</figure><figure class="narrow">\(narrow.markup())</figure>
                <ul>\(found.sentences.map { "<li>\($0)</li>" as Markup })</ul>
                <details><summary>Every point of the curves</summary><table class="results"><thead><tr><th scope="col">Curve</th>\
                <th scope="col">Labels</th><th scope="col">Accuracy and 95 % interval</th></tr></thead>\(rows)</table></details>
                """)
    }
}
