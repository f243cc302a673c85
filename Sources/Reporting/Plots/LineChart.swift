/// Curves over epochs. Missing values are gaps, a value alone between two gaps is a dot.
public struct LineChart: Sendable {
    public struct Series: Sendable, Equatable {
        public var name: String
        public var x: [Double]
        /// Nil, and numbers that are not finite, are gaps.
        public var y: [Double?]
        /// Intervals about `y`, drawn as lines through the points; fewer than points, or none. Nil where none is known.
        public var intervals: [ClosedRange<Double>?] = []

        public init(name: String, x: [Double], y: [Double?]) {
            self.name = name
            self.x = x
            self.y = y
        }

        /// All that the vertical axis must hold.
        var extent: [Double] {
            y.compactMap { $0 } + intervals.compactMap { $0 }.flatMap { [$0.lowerBound, $0.upperBound] }
        }
    }

    public var title: String
    public var unit: String?
    public var xLabel: String
    public var series: [Series]
    /// Values of zero and below are gaps then.
    public var logarithmic = false
    /// The horizontal axis: values of zero and below have no place then.
    public var logarithmicX = false
    public var includesZero = false
    /// Values that the vertical axis has room for beside the curves' own: charts beside each other can have one scale.
    public var roomFor: [Double] = []
    /// Epochs have no fractions.
    public var wholeX = true
    /// What stands at 0, 1, … of the horizontal axis instead of the number; as many as have room.
    public var xNames: [String] = []
    public var style = NumberStyle.plain
    public var width = 420.0
    public var height = 250.0
    public var standalone = false

    public init(title: String, unit: String? = nil, xLabel: String = "epoch", series: [Series]) {
        self.title = title
        self.unit = unit
        self.xLabel = xLabel
        self.series = series
    }

    public func svg() -> String { markup().text }

    func markup() -> Markup {
        let kind: Scale.Kind = logarithmic ? .logarithmic : .linear
        let direct = labelsDirectly
        let legend = Legend(
            direct || series.count < 2 ? [] : series.indices.map { Legend.Entry(name: series[$0].name, sign: Self.sign($0)) },
            width: width, top: 22)
        let top = 34 + legend.height
        let bottom = height - 34
        let ticksY = max(2, Int((bottom - top) / 42))
        let vertical = Scale.rounded(
            series.flatMap(\.extent) + roomFor, kind, about: ticksY, includingZero: includesZero, start: bottom, end: top)
        let yTicks = vertical.ticks(about: ticksY)
        let left = 10 + (yTicks.values.map { Drawing.width(yTicks.label($0, style: style), size: 11) }.max() ?? 0)
        let right = width - (direct ? 12 + longestName : 14)
        let horizontal = horizontalScale(left: left + 6, right: right)
        let xTicks = xNames.isEmpty ? horizontal.ticks(about: max(2, Int((right - left) / 56)), whole: wholeX) : namedTicks(horizontal)

        let xTitle = logarithmicX ? "\(xLabel), log scale" : xLabel
        let unit = [unit, logarithmic ? "log scale" : nil].compactMap { $0 }.joined(separator: ", ")
        var content = Drawing.heading(title, unit: unit.isEmpty ? nil : unit, width: width)
        content += legend.markup
        content += Drawing.verticalAxis(vertical, yTicks, style: style, left: left, right: right)
        content += Drawing.horizontalAxis(horizontal, xTicks, names: xNames, y: bottom)
        content += #"<text x="\#(right)" y="\#(height - 3)" text-anchor="end" font-size="11" opacity="0.75">\#(xTitle)</text>\#n"#
        for index in series.indices { content += curve(index, horizontal, vertical) }
        if direct { content += directLabels(vertical, x: right + 7) }
        return Drawing.frame(width: width, height: height, title: title, kind: "line", standalone: standalone, content)
    }

    /// Names at the ends of few curves are read faster than a legend, if there is room for them.
    private var labelsDirectly: Bool {
        (2...4).contains(series.count) && longestName <= width * 0.24
    }

    /// Bold letters are wider than those that widths are estimated of.
    private var longestName: Double { series.map { Drawing.width($0.name, size: 1.06 * 11.5) }.max() ?? 0 }

    private func horizontalScale(left: Double, right: Double) -> Scale {
        let kind = logarithmicX ? Scale.Kind.logarithmic : .linear
        let xs = series.flatMap(\.x).filter { Scale.isDrawable($0, kind) }
        let (lower, upper) = (xs.min() ?? 0, xs.max() ?? 1)
        return lower < upper
            ? Scale(lower: lower, upper: upper, start: left, end: right, kind: kind)
            : Scale(lower: lower - 0.5, upper: upper + 0.5, start: left, end: right)
    }

    /// Every so-many-th name, so that they do not touch.
    private func namedTicks(_ scale: Scale) -> Ticks {
        let widest = xNames.map { Drawing.width($0, size: 11) }.max() ?? 0
        let apart = abs(scale.end - scale.start) / Double(max(1, xNames.count - 1))
        let step = max(1, Int(((widest + 8) / max(apart, 1)).rounded(.up)))
        return Ticks(values: Swift.stride(from: 0, to: xNames.count, by: step).map(Double.init), step: Double(step))
    }

    private static func sign(_ index: Int) -> Markup {
        """
        <line x1="-9" x2="9" y1="0" y2="0" stroke="\(Palette.color(index))" stroke-width="2.5" \
        stroke-dasharray="\(Palette.dash(index))"/>
        """
    }

    private struct Dot {
        var x: Double
        var y: Double
        var value: (x: Double, y: Double)
    }

    /// The drawable stretches of a curve, in coordinates.
    private func stretches(_ index: Int, _ horizontal: Scale, _ vertical: Scale) -> [[Dot]] {
        var stretches: [[Dot]] = [[]]
        for (x, y) in zip(series[index].x, series[index].y) {
            guard let y, Scale.isDrawable(y, vertical.kind), Scale.isDrawable(x, .linear) else {
                stretches.append([])
                continue
            }
            stretches[stretches.count - 1].append(Dot(x: horizontal.position(x), y: vertical.position(y), value: (x, y)))
        }
        return stretches.filter { !$0.isEmpty }
    }

    private func curve(_ index: Int, _ horizontal: Scale, _ vertical: Scale) -> Markup {
        let stretches = stretches(index, horizontal, vertical)
        let count = stretches.reduce(0) { $0 + $1.count }
        let color = Palette.color(index)
        let path = stretches.filter { $0.count > 1 }.map { stretch in
            stretch.enumerated().map { "\($0 == 0 ? "M" : "L")\(Markup.coordinate($1.x)) \(Markup.coordinate($1.y))" }.joined()
        }.joined()
        var parts: [Markup] = []
        if !path.isEmpty {
            parts.append(
                """
                <path d="\(path)" fill="none" stroke="\(color)" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" \
                stroke-dasharray="\(Palette.dash(index))"/>

                """)
        }
        // Intervals of several curves at one place stand beside each other.
        let aside = (Double(index) - Double(series.count - 1) / 2) * min(2.4, 12 / Double(series.count))
        for (x, interval) in zip(series[index].x, series[index].intervals) {
            guard let interval, Scale.isDrawable(interval.lowerBound, vertical.kind),
                Scale.isDrawable(interval.upperBound, vertical.kind)
            else { continue }
            let (low, high) = (vertical.position(interval.lowerBound), vertical.position(interval.upperBound))
            let place = horizontal.position(x) + aside
            parts.append(
                """
                <line class="interval" x1="\(place)" x2="\(place)" y1="\(low)" y2="\(high)" stroke="\(color)" \
                stroke-opacity="0.45"/>

                """)
        }
        // Measured points are shown while they can be told apart.
        let radius = count <= 24 ? 2.6 : 0
        for stretch in stretches {
            for dot in stretch where radius > 0 || stretch.count == 1 {
                parts.append(#"<circle cx="\#(dot.x)" cy="\#(dot.y)" r="\#(max(radius, 2))" fill="\#(color)"/>\#n"#)
            }
        }
        // A pointer needs more room than a dot has; with very many points every so-many-th one answers.
        let stride = max(1, count / 200)
        for (number, dot) in stretches.joined().enumerated() where number % stride == 0 {
            let name = series.count > 1 ? "\(series[index].name), " : ""
            let place = xNames.indices.contains(Int(dot.value.x)) ? xNames[Int(dot.value.x)] : NumberStyle.significant(dot.value.x)
            let title = "\(name)\(xLabel) \(place): \(style.text(dot.value.y))"
            parts.append(#"<circle cx="\#(dot.x)" cy="\#(dot.y)" r="8" fill="transparent"><title>\#(title)</title></circle>\#n"#)
        }
        return parts.joined()
    }

    private func directLabels(_ vertical: Scale, x: Double) -> Markup {
        let ends = series.indices.compactMap { index -> (index: Int, y: Double)? in
            let last = series[index].y.last { $0.map { Scale.isDrawable($0, vertical.kind) } ?? false }
            return last?.map { (index, vertical.position($0)) }
        }
        let places = Self.spread(ends.map(\.y), apart: 14, from: vertical.end, to: vertical.start)
        return zip(ends, places).map { end, y -> Markup in
            """
            <text x="\(x)" y="\(y + 4)" font-size="11.5" font-weight="600" fill="\(Palette.color(end.index))">\
            \(series[end.index].name)</text>

            """
        }.joined()
    }

    /// Moves places apart by as little as needed, within the limits, without changing their order.
    static func spread(_ places: [Double], apart: Double, from top: Double, to bottom: Double) -> [Double] {
        let order = places.indices.sorted { places[$0] < places[$1] }
        var result = places
        var least = top
        for index in order {
            result[index] = max(result[index], least)
            least = result[index] + apart
        }
        var most = bottom
        for index in order.reversed() {
            result[index] = min(result[index], most)
            most = result[index] - apart
        }
        return result
    }
}
