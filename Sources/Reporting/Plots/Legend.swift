/// A legend in rows above a chart: as many entries in a row as there is room for.
struct Legend {
    struct Entry {
        var name: String
        /// The sign, drawn around the origin in a box of 20 × 12.
        var sign: Markup
    }

    var height: Double
    var markup: Markup

    init(_ entries: [Entry], width: Double, top: Double) {
        let (sign, gap, line) = (24.0, 16.0, 17.0)
        var x = 0.0
        var y = top
        var parts: [Markup] = []
        for entry in entries {
            let name = Drawing.truncated(entry.name, to: width - sign, size: 11.5)
            let needed = sign + Drawing.width(name, size: 11.5)
            if x > 0, x + needed > width { (x, y) = (0, y + line) }
            parts.append(
                """
                <g transform="translate(\(x + 10) \(y + 8))">\(entry.sign)</g>\
                <text x="\(x + sign)" y="\(y + 12)" font-size="11.5">\(name)</text>

                """)
            x += needed + gap
        }
        height = entries.isEmpty ? 0 : y - top + line
        markup = parts.joined()
    }
}
