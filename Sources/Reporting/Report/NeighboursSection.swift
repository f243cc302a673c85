internal import Files

/// Queries and their nearest training images. Whether labels agree is told by a sign and a line style, not by colour alone.
enum NeighboursSection {
    private static let mostRows = 24
    private static let mostNeighbours = 12

    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard let sheet = contents.neighbours, !sheet.rows.isEmpty else { return nil }
        var images = InlineImages(folder: contents.folder.evaluation)
        let rows = sheet.rows.prefix(mostRows).map { row -> Markup in
            let neighbours = row.neighbours.prefix(mostNeighbours).map { neighbour in
                tile(
                    neighbour.image, label: neighbour.label, similarity: neighbour.similarity,
                    agrees: row.query.label.flatMap { query in neighbour.label.map { $0 == query } }, &images)
            }
            return """
                <div class="neighbours">\(tile(row.query.image, label: row.query.label, isQuery: true, &images))\
                <div class="near">\(neighbours)</div></div>

                """
        }
        if let note = images.note("evaluation/neighbours.json") { notes.append(note) }
        let hidden = sheet.rows.count - mostRows
        let more: Markup = hidden > 0 ? #"<p class="more">\#(NumberStyle.count(hidden)) further queries are not shown.</p>"# : .empty
        return ReportSection(
            id: "neighbours", title: "Nearest neighbours",
            explanation: "Left a query, right the images the encoder finds closest, by cosine similarity.",
            content: "\(agreement(sheet))\(rows)\(more)")
    }

    /// How many of all neighbours carry their query's label; nothing without labels.
    private static func agreement(_ sheet: NeighbourSheet) -> Markup {
        let pairs = sheet.rows.flatMap { row in
            row.neighbours.compactMap { neighbour in row.query.label.flatMap { query in neighbour.label.map { $0 == query } } }
        }
        guard !pairs.isEmpty else { return .empty }
        let same = pairs.count { $0 }
        return """
            <p class="key"><span class="same"><i aria-hidden="true">✓</i> same label</span> \
            <span class="other"><i aria-hidden="true">✗</i> another label</span> \
            <span>\(NumberStyle.count(same)) of \(NumberStyle.count(pairs.count)) neighbours \
            (\(NumberStyle.fixed(Double(same) / Double(pairs.count) * 100, decimals: 0)) %) share their query’s label.</span></p>

            """
    }

    private static func tile(
        _ image: String, label: String?, similarity: Double? = nil, agrees: Bool? = nil, isQuery: Bool = false,
        _ images: inout InlineImages
    ) -> Markup {
        let label = label ?? ""
        let kind = isQuery ? "query" : agrees.map { $0 ? "same" : "other" } ?? "unlabelled"
        let picture: Markup =
            images.picture(image).map { picture in
                #"<img src="\#(picture.address)" alt="\#(label)"\#(Markup(raw: picture.isTiny ? #" class="tiny""# : ""))/>"#
            } ?? #"<span class="missing">no image</span>"#
        let cue: Markup =
            agrees.map { agrees in
                #"<i role="img" aria-label="\#(agrees ? "same label" : "another label")">\#(agrees ? "✓" : "✗")</i>"#
            } ?? .empty
        let number: Markup = similarity.map { "<small>\(NumberStyle.fixed($0, decimals: 2))</small>" } ?? .empty
        return """
            <figure class="tile \(kind)" title="\(label)"><span class="frame">\(picture)\(cue)</span>\
            <figcaption><span>\(label)</span>\(number)</figcaption></figure>
            """
    }
}
