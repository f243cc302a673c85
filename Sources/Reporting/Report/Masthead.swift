internal import Files

/// Which run this is, what its encoder is worth, and what a reader must know before reading on.
struct Masthead {
    let title: String
    let markup: Markup

    init(_ contents: RunContents, notes: [String]) {
        let summary = contents.summary
        let names = [summary?.method, summary?.backbone, summary?.dataset?.name].compactMap { $0 }.filter { !$0.isEmpty }
        let run = names.isEmpty ? [contents.folder.name] : names
        title = run.joined(separator: " · ") + " – Fovea run report"
        let headline = contents.results.flatMap { Headline($0, differences: contents.differences ?? [], method: summary?.method) }
        let sentence = headline.map { "\($0.sentence)." } ?? Self.withoutResults(contents)
        let caution: Markup = headline?.caution.map { #"<p class="caution">\#($0)</p>\#n"# } ?? .empty
        markup = """
            <header class="masthead">
            <p class="brand">\(Self.mark)<span>Fovea run report</span></p>
            <p class="run">\(run.map { "<span>\($0)</span>" as Markup })</p>
            <h1>\(sentence.replacing(" %", with: "\u{00A0}%"))</h1>
            \(caution)\(Self.verdict(contents.health))\(Self.strip(contents))\(Self.notes(notes))</header>

            """
    }

    private static func withoutResults(_ contents: RunContents) -> String {
        switch contents.health?.status {
        case .collapsed?: "The representation collapsed, and the encoder has not been evaluated."
        default:
            if contents.labels != nil {
                "How many labels this encoder saves."
            } else if contents.sweep != nil {
                "What a recipe is worth with other settings."
            } else if contents.quality != nil {
                "What this run's checkpoints are worth without labels."
            } else {
                "This encoder has not been evaluated yet."
            }
        }
    }

    /// The fovea: where the retina sees sharpest.
    private static let mark: Markup = """
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"><circle cx="12" cy="12" r="10.5" \
        stroke-opacity="0.35"/><circle cx="12" cy="12" r="6.5" stroke-opacity="0.65" stroke-width="1.4"/>\
        <circle cx="12" cy="12" r="2.6" fill="currentColor" stroke="none"/></svg>
        """

    private static func verdict(_ health: HealthVerdict?) -> Markup {
        guard let health, health.status != .ok else { return .empty }
        let message = health.messages.first.map { ": \($0)" } ?? ""
        return """
            <p class="banner \(health.status.rawValue)"><strong>\(HealthSection.title(health.status))</strong>\(message) \
            <a href="#health">See the curves</a></p>

            """
    }

    private static func strip(_ contents: RunContents) -> Markup {
        let summary = contents.summary
        let facts: [(String, String?)] = [
            ("images", summary?.dataset?.images.map(NumberStyle.count)),
            ("epochs", summary?.epochs.map(NumberStyle.count)),
            ("parameters", summary?.parameters.map(NumberStyle.count)),
        ]
        let timing: [(String, String?)] = [
            ("training time", contents.timing?.seconds.map(NumberStyle.duration)),
            ("peak memory", contents.timing?.peakMemoryMB.map(NumberStyle.memory)),
        ]
        let items: [Markup] =
            facts.compactMap { name, value in value.map { "<div><dt>\(name)</dt><dd>\($0)</dd></div>" } }
            // Marked, because it is all in which the reports of two equal runs differ.
            + timing.compactMap { name, value in value.map { #"<div class="timing"><dt>\#(name)</dt><dd>\#($0)</dd></div>"# } }
        return items.isEmpty ? .empty : #"<dl class="strip">\#(items)</dl>\#n"#
    }

    private static func notes(_ notes: [String]) -> Markup {
        guard !notes.isEmpty else { return .empty }
        return """
            <aside class="notes"><h2>Notes on this report</h2><ul>\(notes.map { "<li>\($0)</li>" as Markup })</ul></aside>

            """
    }
}
