internal import Files

/// What a linear classifier makes of each layer: a curve for each encoder, from the first layer to the last.
struct LayersSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let all = contents.results ?? []
        let rows = Self.curves(all)
        guard !rows.isEmpty else {
            section = nil
            return
        }
        // Features joined of several layers have no place in their order.
        let layers = rows.map(\.layer).uniqued()
        let ordered = layers.filter { !$0.hasPrefix("last") }
        let encoders = rows.map(\.result.encoder).uniqued()
        var chart = LineChart(
            title: "accuracy", unit: "linear classifier, 95 % intervals", xLabel: "layer",
            series: encoders.map { Self.series(rows, $0, ordered) }.filter { $0.y.contains { $0 != nil } })
        chart.style = .percent
        chart.xNames = ordered
        let images = rows.compactMap(\.result.testImages).max().map { " on \(NumberStyle.count($0)) test images" } ?? ""
        let subject = Headline(all, method: contents.summary?.method)?.result.encoder ?? contents.summary?.method
        section = ReportSection(
            id: "layers", title: "Layers",
            explanation: """
                Accuracy\(images) of a linear classifier on each layer, pooled to about the same width. Which layer would be used is \
                chosen on training images held out, for each encoder.
                """,
            content: """
                \(chart.figures(height: 300))\(Self.chosen(all))\
                \(ResultsSection.folded(rows.map(\.result), subject: subject))
                """)
    }

    struct Row {
        var result: EvaluationResult
        var layer: String
    }

    /// The rows of layers among results, as far as they are curves: one layer is a bar like others.
    static func curves(_ results: [EvaluationResult]) -> [Row] {
        let rows = results.compactMap { result -> Row? in
            guard result.protocolName == "linear", result.metric.hasPrefix("top-1 "), result.metric != chosenLayer else { return nil }
            return Row(result: result, layer: String(result.metric.dropFirst("top-1 ".count)))
        }
        return Set(rows.map(\.layer)).count > 1 ? rows : []
    }

    private static let chosenLayer = "top-1 chosen layer"

    /// The last of equal rows: an evaluation that was done again.
    private static func series(_ rows: [Row], _ encoder: String, _ layers: [String]) -> LineChart.Series {
        let found = layers.map { layer in rows.last { $0.result.encoder == encoder && $0.layer == layer }?.result }
        var series = LineChart.Series(name: encoder, x: layers.indices.map(Double.init), y: found.map { $0?.value })
        series.intervals = found.map { result in
            guard let lower = result?.lower, let upper = result?.upper else { return nil }
            return min(lower, upper)...max(lower, upper)
        }
        return series
    }

    /// The layer that each encoder would be used at.
    private static func chosen(_ results: [EvaluationResult]) -> Markup {
        let rows = results.filter { $0.protocolName == "linear" && $0.metric == chosenLayer }
        let texts = rows.map(\.encoder).uniqued().compactMap { encoder in
            rows.last { $0.encoder == encoder }.map { "\(encoder) at \($0.setting ?? "its best") (\($0.valueText))" }
        }
        return texts.isEmpty ? .empty : #"<p class="more">Chosen: \#(texts.joined(separator: ", ")).</p>"#
    }
}
