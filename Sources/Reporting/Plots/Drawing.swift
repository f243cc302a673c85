/// What all charts share: their frame, their letters and an estimate of how wide these are.
enum Drawing {
    static let fontSize = 12.0

    /// SVG has no layout: the width of text is estimated, generously, from a sans-serif's averages.
    static func width(_ text: String, size: Double = fontSize) -> Double {
        text.reduce(0) { sum, character in
            switch character {
            case "i", "j", "l", "t", "f", "r", "I", ".", ",", ":", ";", "'", "|", " ", "(", ")", "[", "]", "-": sum + 0.38 * size
            case "m", "w", "M", "W", "%", "@": sum + 0.95 * size
            default: sum + (DisplayWidth.of(character) == 2 ? 1.05 : character.isUppercase ? 0.74 : 0.63) * size
            }
        }
    }

    static func truncated(_ text: String, to available: Double, size: Double = fontSize) -> String {
        guard width(text, size: size) > available else { return text }
        var kept = text
        while !kept.isEmpty, width(kept + "…", size: size) > available { kept.removeLast() }
        return kept + "…"
    }

    /// Lines that fit, broken between words, or within those that are too long; what is more than `most` lines is an ellipsis.
    static func wrapped(_ text: String, to available: Double, size: Double = fontSize, most: Int = 3) -> [String] {
        let lines = DisplayWidth.wrapped(text) { width($0, size: size) <= available }
        guard lines.count > most else { return lines }
        return lines.prefix(most - 1) + [truncated(lines.dropFirst(most - 1).joined(separator: " "), to: available, size: size)]
    }

    /// A whole SVG file.
    /// - Parameter standalone: with colours of its own for light and dark, for files that no page styles.
    static func frame(width: Double, height: Double, title: String, kind: String, standalone: Bool, _ content: Markup) -> Markup {
        let style: Markup =
            standalone
            ? Markup(
                raw: """
                    <style>svg{color:#1c1d21;background:\(Palette.lightPage);\(Palette.lightVariables)}\
                    @media(prefers-color-scheme:dark){svg{color:#e9e7e2;background:\(Palette.darkPage);\(Palette.darkVariables)}}</style>

                    """) : .empty
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="chart \(kind)" viewBox="0 0 \(width) \(height)" role="img" \
            aria-label="\(title)" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" \
            font-size="\(fontSize)" fill="currentColor">
            \(style)\(content)</svg>
            """
    }

    /// Title at the top left, and the unit in a quieter voice behind it.
    static func heading(_ title: String, unit: String?, width: Double) -> Markup {
        let shown = truncated(title, to: width * 0.7, size: 13)
        let unit: Markup = unit.map { #"<tspan dx="8" font-weight="400" font-size="11.5" opacity="0.68">\#($0)</tspan>"# } ?? .empty
        return #"<text x="0" y="14" font-size="13" font-weight="600">\#(shown)\#(unit)</text>\#n"#
    }

    /// Numbers and hairlines of the vertical axis; the zero line is stronger.
    static func verticalAxis(_ scale: Scale, _ ticks: Ticks, style: NumberStyle, left: Double, right: Double) -> Markup {
        ticks.values.map { value -> Markup in
            let y = scale.position(value)
            return """
                <line x1="\(left)" x2="\(right)" y1="\(y)" y2="\(y)" stroke="currentColor" stroke-opacity="\(value == 0 ? 0.35 : 0.13)"/>\
                <text x="\(left - 7)" y="\(y + 4)" text-anchor="end" font-size="11" opacity="0.75">\
                \(ticks.label(value, style: style))</text>

                """
        }.joined()
    }

    /// Numbers and marks of the horizontal axis; the marks reach up to `top` if there is one.
    /// - Parameter names: instead of the numbers 0, 1, ….
    static func horizontalAxis(
        _ scale: Scale, _ ticks: Ticks, style: NumberStyle = .plain, names: [String] = [], y: Double, top: Double? = nil
    ) -> Markup {
        ticks.values.map { value -> Markup in
            let x = scale.position(value)
            let label = names.isEmpty ? ticks.label(value, style: style) : names[Int(value)]
            return """
                <line x1="\(x)" x2="\(x)" y1="\(top ?? y)" y2="\(y + 4)" stroke="currentColor" \
                stroke-opacity="\(top == nil ? 0.4 : value == 0 ? 0.35 : 0.13)"/>\
                <text x="\(x)" y="\(y + 16)" text-anchor="middle" font-size="11" opacity="0.75">\(label)</text>

                """
        }.joined()
    }
}

extension [Markup] {
    func joined() -> Markup { Markup(raw: map(\.text).joined()) }
}
