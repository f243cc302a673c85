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
        let lines = sentences.map { $0.replacing("; ", with: ";\n  ") }
        return ([tables.joined(separator: "\n\n")] + lines + (notes ?? []).map { Paragraph.text($0) }).joined(separator: "\n")
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
        guard saving.needed != nil else { return "\(start) does not come so far" }
        // A curve that begins above says only that no more is needed.
        let needs = "\(start) needs \(needed(saving))\(saving.isBound == true ? ", where its curve begins" : "")"
        guard let hours = saving.hoursSaved else { return needs }
        let price = "at \(NumberStyle.plain.text(secondsPerLabel)) s each"
        return hours > 0 ? "\(needs), saves \(saved(saving)) \(price)" : saving.isBound == true ? needs : "\(needs), saves nothing \(price)"
    }

    /// Such as `280 (200–350)`.
    func needed(_ saving: Saving) -> String {
        func count(_ value: Double) -> String { NumberStyle.count(Int(value.rounded())) }
        guard let needed = saving.needed else { return TextTable.missing }
        if saving.isBound == true { return "at most \(count(needed))" }
        // Of one draw each nobody knows.
        guard saving.lower != nil || saving.upper != nil else { return count(needed) }
        return "\(count(needed)) (\(saving.lower.map(count) ?? "?")–\(saving.upper.map(count) ?? "more than measured"))"
    }

    /// Such as `1.0 h (0.9–1.1)`; below zero where more labels are needed than the supervised network has.
    func saved(_ saving: Saving) -> String {
        func hours(_ value: Double) -> String { NumberStyle.fixed(value, decimals: 1) }
        guard let saved = saving.hoursSaved else { return TextTable.missing }
        if saving.isBound == true { return "at least \(hours(saved)) h" }
        guard let upper = saving.hoursUpper else { return "\(hours(saved)) h" }
        return saving.hoursLower.map { "\(hours(saved)) h (\(hours($0))–\(hours(upper)))" } ?? "\(hours(saved)) h (at most \(hours(upper)))"
    }
}
