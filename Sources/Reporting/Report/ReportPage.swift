/// The page: its sections in order. A section without its file is left out.
struct ReportPage {
    let html: String

    init(_ contents: RunContents) {
        var notes = contents.notes
        let sections = [
            LabelsSection(contents).section,
            ResultsSection(contents).section,
            LayersSection(contents).section,
            LowShotSection(contents).section,
            SweepSection(contents).section,
            TransferSection(contents).section,
            RobustnessSection(contents).section,
            LearningSection(contents).section,
            HealthSection(contents).section,
            QualitySection(contents).section,
            MistakesSection.section(contents, &notes),
            NeighboursSection.section(contents, &notes),
            MapSection.section(contents, &notes),
            ViewsSection.section(contents, &notes),
            PicturesSection.section(contents, &notes),
            FactsSection(contents).section,
            UnreadableSection(contents).section,
        ].compactMap { $0 }
        let masthead = Masthead(contents, notes: notes)
        let script: Markup = contents.map == nil ? .empty : "<script>\(Markup(raw: ReportScript.text))</script>"
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
            script-src 'unsafe-inline'"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="generator" content="Fovea"/>
            <title>\(masthead.title)</title>
            <style>\(Markup(raw: ReportStyle.text))</style>
            </head>
            <body>
            \(masthead.markup)<main>
            \(sections.map(\.markup))</main>
            \(script)
            </body>
            </html>

            """
        html = page.text
    }
}

/// A section: its name and a word of explanation beside what it shows.
struct ReportSection {
    var id: String
    var title: String
    var explanation: Markup
    var content: Markup

    var markup: Markup {
        """
        <section id="\(id)" aria-labelledby="\(id)-title">
        <header><h2 id="\(id)-title">\(title)</h2><p>\(explanation)</p></header>
        <div class="content">
        \(content)
        </div>
        </section>

        """
    }
}
