/// Horizontal bars in groups, with 95 % intervals: names stay readable at any width.
public struct BarChart: Sendable {
    public struct Bar: Sendable, Equatable {
        public var name: String
        public var value: Double
        public var lower: Double?
        public var upper: Double?
        /// The subject of the chart, as opposed to what it is compared with.
        public var isEmphasised: Bool
        /// Shown when the pointer rests on the bar.
        public var detail: String?

        public init(
            name: String, value: Double, lower: Double? = nil, upper: Double? = nil, isEmphasised: Bool = false, detail: String? = nil
        ) {
            self.name = name
            self.value = value
            self.lower = lower
            self.upper = upper
            self.isEmphasised = isEmphasised
            self.detail = detail
        }
    }

    public struct Group: Sendable, Equatable {
        public var name: String
        public var bars: [Bar]

        public init(name: String, bars: [Bar]) {
            self.name = name
            self.bars = bars
        }
    }

    public var title: String
    public var unit: String?
    public var groups: [Group]
    public var style = NumberStyle.plain
    public var width = 720.0
    public var standalone = false

    public init(title: String, unit: String? = nil, groups: [Group]) {
        self.title = title
        self.unit = unit
        self.groups = groups
    }

    public func svg() -> String { markup().text }

    func markup() -> Markup {
        let groups = groups.map { Group(name: $0.name, bars: $0.bars.filter { Scale.isDrawable($0.value, .linear) }) }
            .filter { !$0.bars.isEmpty }
        let bars = groups.flatMap(\.bars)
        let (row, headerLine, gap, top) = (25.0, 15.0, 12.0, 30.0)
        let names = bars.map { Drawing.width($0.name) }.max() ?? 0
        let left = min(names + 12, width * 0.38)
        let values = bars.map { Drawing.width(style.text($0.value), size: 12.5) }.max() ?? 0
        let right = width - values - 14
        let ticksAbout = max(3, Int((right - left) / 70))
        let ends = bars.flatMap { [$0.value, $0.lower ?? 0, $0.upper ?? 0, 0] }.filter { Scale.isDrawable($0, .linear) }
        let (lower, upper) = (ends.min() ?? 0, ends.max() ?? 0)
        let scale = Scale(lower: lower, upper: upper > lower ? upper : lower + 1, start: left, end: right)
        let ticks = scale.ticks(about: ticksAbout)

        func line(_ value: Double, from top: Double, to bottom: Double) -> Markup {
            let x = scale.position(value)
            return """
                <line x1="\(x)" x2="\(x)" y1="\(top)" y2="\(bottom)" stroke="currentColor" \
                stroke-opacity="\(value == 0 ? 0.45 : 0.12)"/>

                """
        }

        var content = Markup.empty
        var y = top
        for (number, group) in groups.enumerated() {
            if number > 0 { y += gap }
            // Bold letters are wider than those that widths are estimated of.
            for name in Drawing.wrapped(group.name, to: width, size: 1.06 * Drawing.fontSize) {
                content += #"<text x="0" y="\#(y + 14)" font-size="12" font-weight="600">\#(name)</text>\#n"#
                y += headerLine
            }
            y += 7
            content += ticks.values.map { line($0, from: y, to: y + row * Double(group.bars.count)) }.joined()
            for bar in group.bars {
                content += self.bar(bar, in: group, y: y, height: row, left: left, scale)
                y += row
            }
        }
        return Drawing.frame(
            width: width, height: y + 24, title: title, kind: "bar", standalone: standalone,
            """
            \(Drawing.heading(title, unit: unit, width: width))\(content)\
            \(Drawing.horizontalAxis(scale, ticks, style: style, y: y + 4))
            """)
    }

    private func bar(_ bar: Bar, in group: Group, y: Double, height: Double, left: Double, _ scale: Scale) -> Markup {
        let middle = y + height / 2
        let (zero, end) = (scale.position(0), scale.position(bar.value))
        let thickness = height - 9
        let color = bar.isEmphasised ? Palette.color(0) : Palette.muted
        var whisker = Markup.empty
        var labelX = max(zero, end)
        if let lower = bar.lower, let upper = bar.upper, Scale.isDrawable(lower, .linear), Scale.isDrawable(upper, .linear) {
            let (a, b) = (scale.position(lower), scale.position(upper))
            labelX = max(labelX, b)
            whisker = """
                <path d="M\(a) \(middle)H\(b)M\(a) \(middle - 4)V\(middle + 4)M\(b) \(middle - 4)V\(middle + 4)" fill="none" \
                stroke="currentColor" stroke-width="1.5"/>
                """
        }
        let weight = bar.isEmphasised ? "700" : "400"
        return """
            <g><title>\(bar.detail ?? "\(bar.name), \(group.name): \(style.text(bar.value))")</title>\
            <text x="\(left - 8)" y="\(middle + 4)" text-anchor="end" font-weight="\(weight)">\
            \(Drawing.truncated(bar.name, to: left - 10))</text>\
            <rect x="\(min(zero, end))" y="\(middle - thickness / 2)" width="\(abs(end - zero))" height="\(thickness)" rx="2" \
            fill="\(color)" fill-opacity="\(bar.isEmphasised ? 1 : 0.55)"/>\(whisker)\
            <text x="\(labelX + 7)" y="\(middle + 4)" font-size="12.5" font-weight="\(weight)">\(style.text(bar.value))</text></g>

            """
    }
}
