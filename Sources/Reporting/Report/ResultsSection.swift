internal import Files

/// Bars with intervals, and every row of the results as a table. Layers and few labels are curves in sections of their own.
struct ResultsSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let all = contents.results ?? []
        // Those have a section of their own.
        let curves = Set(LowShotSection.curves(all).map(\.result.metric))
        let layers = Set(LayersSection.curves(all).map(\.result.metric))
        let results = all.filter {
            !($0.protocolName == "lowshot" && curves.contains($0.metric)) && !($0.protocolName == "linear" && layers.contains($0.metric))
        }
        guard !results.isEmpty else {
            section = nil
            return
        }
        let subject = Headline(all, method: contents.summary?.method)?.result.encoder ?? contents.summary?.method
        let metrics = results.map { $0.isShare ? "" : $0.metric }.uniqued()
        let charts = metrics.map { metric -> Markup in
            let shown = results.filter { ($0.isShare ? "" : $0.metric) == metric }
            return Self.chart(shown, metric: metric, subject: subject)
        }
        section = ReportSection(
            id: "results", title: "Results",
            explanation: "\(Self.shown(results))\(Self.data(results)). \(Self.intervals(results))",
            content: """
                \(charts)\
                \(results.count > Self.mostOpenRows ? Self.folded(results, subject: subject) : Self.table(results, subject: subject))\
                \(Self.differences(contents.differences ?? [], of: results))
                """)
    }

    /// More are folded away below the bars, which show them all.
    private static let mostOpenRows = 24

    static func folded(_ results: [EvaluationResult], subject: String?) -> Markup {
        "<details><summary>Every number</summary>\(table(results, subject: subject))</details>"
    }

    private static func hasBaselines(_ results: [EvaluationResult]) -> Bool { results.contains { Headline.isBaseline($0.encoder) } }

    private static func shown(_ results: [EvaluationResult]) -> String {
        if hasBaselines(results) { return "The encoder, beside what needs no pretraining" }
        return results.map(\.encoder).uniqued().count > 1 ? "The encoders, beside each other" : "The encoder"
    }

    private static func intervals(_ results: [EvaluationResult]) -> String {
        let bases = results.compactMap(\.intervalBase).uniqued()
        guard let first = bases.first else { return "No intervals were recorded." }
        let what = "Whiskers and brackets are 95 % intervals"
        guard bases.count > 1 else { return "\(what) over \(first.rawValue)." }
        let parts = bases.map { base in
            let rows = results.filter { $0.intervalBase == base }
            let names = rows.map { base == .initialisations ? $0.encoder : $0.protocolTitle }.uniqued()
            return "of \(names.joined(separator: ", ")) over \(base.rawValue)"
        }
        return "\(what): \(parts.joined(separator: "; "))."
    }

    /// Encoder against encoder on the same images or draws. Folded away where the headline says it of the baselines.
    private static func differences(_ differences: [EvaluationDifference], of results: [EvaluationResult]) -> Markup {
        let shown = differences.filter { difference in
            results.contains { $0.protocolName == difference.protocolName && $0.metric == difference.metric }
        }
        guard !shown.isEmpty else { return .empty }
        let state: Markup = hasBaselines(results) ? .empty : #" open="open""#
        let items = shown.map { "<li>\($0.sentence)</li>" as Markup }
        return "<details\(state)><summary>Paired differences</summary><ul>\(items)</ul></details>"
    }

    private static func data(_ results: [EvaluationResult]) -> String {
        let names = results.compactMap(\.data).uniqued()
        return names.isEmpty ? "" : ", on \(names.joined(separator: ", "))"
    }

    private static func chart(_ results: [EvaluationResult], metric: String, subject: String?) -> Markup {
        let pivot = ResultsPivot(results)
        let groups = pivot.columns.indices.map { column in
            BarChart.Group(
                name: pivot.columns[column],
                bars: pivot.encoders.indices.compactMap { encoder in
                    pivot.cells[encoder][column].map { result in
                        BarChart.Bar(
                            name: result.encoder, value: result.value, lower: result.lower, upper: result.upper,
                            isEmphasised: result.encoder == subject, detail: detail(result))
                    }
                })
        }
        var chart = BarChart(
            title: metric.isEmpty ? (results.map(\.metric).uniqued().count == 1 ? results[0].metric : "accuracy") : metric,
            unit: "95 % intervals", groups: groups)
        if !results.contains(where: { $0.intervalText != nil }) { chart.unit = nil }
        chart.style = metric.isEmpty ? .percent : .plain
        // Letters keep their size on a phone only if the drawing is made for it.
        var narrow = chart
        (chart.width, narrow.width) = (760, 350)
        return #"<figure class="wide">\#(chart.markup())</figure><figure class="narrow">\#(narrow.markup())</figure>\#n"#
    }

    private static func detail(_ result: EvaluationResult) -> String {
        var text = "\(result.encoder), \(result.protocolTitle)\(result.setting.map { " \($0)" } ?? ""): \(result.valueText)"
        if let interval = result.intervalText { text += " (95 % interval \(interval))" }
        if let images = result.testImages { text += ", \(NumberStyle.count(images)) \(result.split ?? "test") images" }
        return text
    }

    /// What all rows of a block have in common stands above them, once.
    private struct Block: Hashable {
        var title: String
        var details: String

        init(_ result: EvaluationResult) {
            title = result.protocolTitle
            details = [
                result.metric,
                result.trainImages.map { "\(NumberStyle.count($0)) training images" },
                result.testImages.map { "\(NumberStyle.count($0)) \(result.split ?? "test") images" } ?? result.split,
            ].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " · ")
        }
    }

    private static func table(_ results: [EvaluationResult], subject: String?) -> Markup {
        let blocks = results.map(Block.init).uniqued().map { block -> Markup in
            let rows = results.filter { Block($0) == block }.map { row($0, isSubject: $0.encoder == subject) }
            return """
                <tbody><tr class="block"><th colspan="3" scope="rowgroup">\(block.title) <small>\(block.details)</small></th></tr>
                \(rows)</tbody>

                """
        }
        return """
            <table class="results"><thead><tr><th scope="col">Encoder</th><th scope="col">Value and 95 % interval</th>\
            <th scope="col">Seeds and remarks</th></tr></thead>
            \(blocks)</table>
            """
    }

    private static func row(_ result: EvaluationResult, isSubject: Bool) -> Markup {
        let interval: Markup = result.intervalText.map { "<small>(\($0))</small>" } ?? .empty
        // A setting may be chosen for each encoder by itself: it belongs to the row, and the block to what all have in common.
        let counted = result.isRandom ? "initialisation" : "seed"
        let seeds = result.seeds.map { "\(NumberStyle.count($0)) \(counted)\($0 == 1 ? "" : "s")" }
        let remarks = [result.setting, seeds, result.note].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ")
        return """
            <tr\(isSubject ? #" class="subject""# as Markup : .empty)><th scope="row">\(result.encoder)</th>\
            <td class="value"><b>\(result.valueText)</b> \(interval)</td><td class="remarks"><small>\(remarks)</small></td></tr>

            """
    }
}
