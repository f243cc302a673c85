public import Files

extension LabelCurves {
    /// Labels down, curves across, and what is saved in sentences; at most 100 columns.
    public var text: String {
        let labels = curves.flatMap { $0.points.map(\.labels) }.uniqued().sorted()
        func cell(_ curve: Curve, _ count: Int) -> String {
            guard let point = curve.points.first(where: { $0.labels == count }) else { return TextTable.missing }
            let style = NumberStyle.percent
            return "\(style.text(point.value)) (\(style.bareText(point.lower))–\(style.bareText(point.upper)))"
        }
        // Three curves beside each other are 100 columns with room for their names.
        let tables = stride(from: 0, to: curves.count, by: 3).map { start in
            let part = curves[start..<min(start + 3, curves.count)]
            return TextTable(
                ["labels"] + part.map { DisplayWidth.truncated($0.name.withoutControls, to: 28) },
                rows: labels.map { count in [NumberStyle.count(count)] + part.map { cell($0, count) } }, maximumWidth: 100
            ).render()
        }
        return ([tables.joined(separator: "\n\n")] + sentences.map { $0.replacing("; ", with: ";\n  ") }).joined(separator: "\n")
    }

    /// For the most and for about a tenth of the supervised labels, per curve.
    public var sentences: [String] {
        savings.map(\.curve).uniqued().flatMap { curve -> [String] in
            let rows = savings.filter { $0.curve == curve }.sorted { $0.labels < $1.labels }
            guard let last = rows.last else { return [] }
            let tenth = rows.dropLast().min { abs($0.labels * 10 - last.labels) < abs($1.labels * 10 - last.labels) }
            return [tenth, last].compactMap { $0 }.map(sentence)
        }
    }

    private func sentence(_ saving: Saving) -> String {
        let accuracy = NumberStyle.percent.text(saving.accuracy)
        let start = "supervised with \(NumberStyle.count(saving.labels)) labels: \(accuracy); \(saving.curve)"
        guard let needed = saving.needed else { return "\(start) does not come so far" }
        func count(_ value: Double) -> String { NumberStyle.count(Int(value.rounded())) }
        // A curve that begins above says only that no more is needed.
        if let first = curves.first(where: { $0.name == saving.curve })?.points.first, first.value >= saving.accuracy {
            return "\(start) needs at most \(count(needed)), where its curve begins"
        }
        let upper = saving.upper.map(count) ?? "more than measured"
        let hours = (Double(saving.labels) - needed) * secondsPerLabel / 3600
        let saved = hours > 0 ? "saves \(NumberStyle.fixed(hours, decimals: 1)) h" : "saves nothing"
        return "\(start) needs \(count(needed)) (\(saving.lower.map(count) ?? "?")–\(upper)), \(saved) at "
            + "\(NumberStyle.plain.text(secondsPerLabel)) s each"
    }
}
