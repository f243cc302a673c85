internal import Files

/// Loss, kNN and whatever else was measured while training.
struct LearningSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let charts = contents.metrics.map(Curves.learning) ?? []
        section = contents.metrics.flatMap { metrics in
            charts.isEmpty
                ? nil
                : ReportSection(
                    id: "learning", title: "Learning curves",
                    explanation: "One value for each epoch. A falling loss alone does not make a good encoder.",
                    content: #"<div class="charts">\#(Curves.figures(charts, metrics))</div>"#)
        }
    }
}

/// Whether the representation collapsed: the verdict, and the curves behind it.
struct HealthSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let charts = contents.metrics.map(Curves.health) ?? []
        guard contents.health != nil || !charts.isEmpty else {
            section = nil
            return
        }
        let figures: Markup =
            contents.metrics.map { charts.isEmpty ? .empty : #"<div class="charts">\#(Curves.figures(charts, $0))</div>"# } ?? .empty
        section = ReportSection(
            id: "health", title: "Health",
            explanation: """
                Does the encoder still tell images apart? <b>h</b> is what evaluation keeps, <b>z</b> what the loss sees \
                behind the projector.
                """,
            content: "\(Self.verdict(contents.health))\(figures)")
    }

    static func title(_ status: HealthVerdict.Status) -> String {
        switch status {
        case .ok: "Healthy"
        case .warning: "Warning"
        case .collapsed: "Collapsed"
        }
    }

    private static func verdict(_ health: HealthVerdict?) -> Markup {
        guard let health else { return .empty }
        let sign =
            switch health.status {
            case .ok: "✓"
            case .warning: "!"
            case .collapsed: "✗"
            }
        let messages: Markup =
            switch health.messages.count {
            case 0: .empty
            case 1: "<p>\(health.messages[0])</p>"
            default: "<ul>\(health.messages.map { "<li>\($0)</li>" as Markup })</ul>"
            }
        return """
            <div class="verdict \(health.status.rawValue)"><p class="status"><span class="sign" aria-hidden="true">\(sign)</span>\
            <strong>\(title(health.status))</strong></p>\
            \(messages)</div>

            """
    }
}
