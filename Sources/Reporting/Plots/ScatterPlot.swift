import Foundation

/// Points in the plane, both axes in the same unit, one colour and shape for each class.
public struct ScatterPlot: Sendable {
    public struct Point: Sendable, Equatable {
        public var x: Double
        public var y: Double
        /// Index into `series`.
        public var series: Int
        public var title: String?
        /// Written as `data-key`, for scripts.
        public var key: Int?

        public init(x: Double, y: Double, series: Int, title: String? = nil, key: Int? = nil) {
            self.x = x
            self.y = y
            self.series = series
            self.title = title
            self.key = key
        }
    }

    public var title: String
    public var unit: String?
    public var series: [String]
    public var points: [Point]
    public var showsLegend = true
    public var width = 560.0
    public var height = 460.0
    public var standalone = false

    public init(title: String, unit: String? = nil, series: [String], points: [Point]) {
        self.title = title
        self.unit = unit
        self.series = series
        self.points = points
    }

    public func svg() -> String { markup().text }

    func markup() -> Markup {
        let points = points.filter { point in
            Scale.isDrawable(point.x, .linear) && Scale.isDrawable(point.y, .linear) && series.indices.contains(point.series)
        }
        let legend = Legend(
            showsLegend ? series.indices.map { Legend.Entry(name: series[$0], sign: Self.sign($0)) } : [], width: width, top: 22)
        let (left, right, top, bottom) = (44.0, width - 10, 30 + legend.height, height - 22)
        let (horizontal, vertical) = Self.scales(points, left: left, right: right, top: top, bottom: bottom)
        let (xTicks, yTicks) = (horizontal.ticks(about: 7), vertical.ticks(about: 6))

        var content = Drawing.heading(title, unit: unit, width: width)
        content += legend.markup
        content += Drawing.verticalAxis(vertical, yTicks, style: .plain, left: left, right: right)
        content += Drawing.horizontalAxis(horizontal, xTicks, y: bottom, top: top)
        let radius = Self.radius(count: points.count)
        for (index, members) in Self.grouped(points, count: series.count).enumerated() where !members.isEmpty {
            let marks = members.map { point -> Markup in
                let key: Markup = point.key.map { #" data-key="\#($0)""# } ?? .empty
                let path = Self.shape(index, x: horizontal.position(point.x), y: vertical.position(point.y), radius: radius)
                return #"<path d="\#(path)"\#(key)><title>\#(point.title ?? series[index])</title></path>\#n"#
            }
            content += """
                <g class="series" data-series="\(index)" fill="\(Palette.color(index))" fill-opacity="0.78">
                \(marks)</g>

                """
        }
        return Drawing.frame(width: width, height: height, title: title, kind: "scatter", standalone: standalone, content)
    }

    static func sign(_ index: Int) -> Markup {
        #"<path d="\#(shape(index, x: 0, y: 0, radius: 5))" fill="\#(Palette.color(index))"/>"#
    }

    private static func grouped(_ points: [Point], count: Int) -> [[Point]] {
        var groups = [[Point]](repeating: [], count: count)
        for point in points { groups[point.series].append(point) }
        return groups
    }

    /// One unit is equally long on both axes: distances in the plane are what the map shows.
    private static func scales(_ points: [Point], left: Double, right: Double, top: Double, bottom: Double) -> (Scale, Scale) {
        func range(_ values: [Double]) -> (middle: Double, extent: Double) {
            guard let lower = values.min(), let upper = values.max() else { return (0, 1) }
            return ((lower + upper) / 2, upper - lower)
        }
        let (x, y) = (range(points.map(\.x)), range(points.map(\.y)))
        let pixels = (width: right - left, height: bottom - top)
        var unit = 1.06 * max(x.extent / pixels.width, y.extent / pixels.height)
        if unit <= 1e-9 * max(abs(x.middle), abs(y.middle)) { unit = max(abs(x.middle), abs(y.middle), 1) / pixels.width }
        let (dx, dy) = (unit * pixels.width / 2, unit * pixels.height / 2)
        return (
            Scale(lower: x.middle - dx, upper: x.middle + dx, start: left, end: right),
            Scale(lower: y.middle - dy, upper: y.middle + dy, start: bottom, end: top)
        )
    }

    /// Many points are drawn small, so that they stay points.
    private static func radius(count: Int) -> Double { min(4.5, max(1.6, 4.5 * sqrt(400 / Double(max(count, 1))))) }

    /// Shapes of about the same area: circle, square, triangle, diamond, plus, inverted triangle, cross.
    static func shape(_ series: Int, x: Double, y: Double, radius r: Double) -> String {
        func polygon(_ corners: [(Double, Double)]) -> String {
            corners.enumerated().map { number, corner in
                "\(number == 0 ? "M" : "L")\(Markup.coordinate(x + corner.0 * r)) \(Markup.coordinate(y + corner.1 * r))"
            }.joined() + "Z"
        }
        let plus = [
            (-0.35, -1.15), (0.35, -1.15), (0.35, -0.35), (1.15, -0.35), (1.15, 0.35), (0.35, 0.35), (0.35, 1.15), (-0.35, 1.15),
            (-0.35, 0.35), (-1.15, 0.35), (-1.15, -0.35), (-0.35, -0.35),
        ]
        switch series % 7 {
        case 0:
            let (start, radius) = ("M\(Markup.coordinate(x - r)) \(Markup.coordinate(y))", Markup.coordinate(r))
            let diameter = Markup.coordinate(2 * r)
            return "\(start)a\(radius) \(radius) 0 1 0 \(diameter) 0a\(radius) \(radius) 0 1 0 -\(diameter) 0Z"
        case 1: return polygon([(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)])
        case 2: return polygon([(0, -1.25), (1.2, 0.9), (-1.2, 0.9)])
        case 3: return polygon([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)])
        case 4: return polygon(plus)
        case 5: return polygon([(0, 1.25), (1.2, -0.9), (-1.2, -0.9)])
        default: return polygon(plus.map { (($0.0 - $0.1) * 0.7071, ($0.0 + $0.1) * 0.7071) })
        }
    }
}
