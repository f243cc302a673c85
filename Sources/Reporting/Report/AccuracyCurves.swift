/// Accuracy against a number of labels: curves with their intervals over the logarithm of that number, and every point as a table.
struct AccuracyCurves {
    struct Point {
        var labels: Int
        var value: Double
        var lower: Double?
        var upper: Double?
        var note: String?
    }

    struct Curve {
        var name: String
        var points: [Point]
    }

    var title: String
    var unit: String?
    /// What is counted, such as `labels`.
    var counted = "labels"
    var curves: [Curve]

    var chart: LineChart {
        var chart = LineChart(
            title: title, unit: unit, xLabel: counted,
            series: curves.map { curve in
                let points = curve.points.sorted { $0.labels < $1.labels }
                var series = LineChart.Series(name: curve.name, x: points.map { Double($0.labels) }, y: points.map { $0.value })
                series.intervals = points.map { point in
                    guard let lower = point.lower, let upper = point.upper else { return nil }
                    return min(lower, upper)...max(lower, upper)
                }
                return series
            })
        chart.style = .percent
        chart.logarithmicX = true
        return chart
    }

    /// Every point, folded away. Of several charts each is a block under its title.
    /// - Parameter named: what the curves are, such as `Encoder`.
    static func table(_ charts: [AccuracyCurves], named: String) -> Markup {
        let style = NumberStyle.percent
        let blocks = charts.map { chart -> Markup in
            let head: Markup =
                charts.count > 1 ? #"<tr class="block"><th colspan="3" scope="rowgroup">\#(chart.title)</th></tr>"# : .empty
            let rows = chart.curves.map { curve -> Markup in
                let points = curve.points.map { point -> Markup in
                    let note: Markup = point.note.map { "<br/><small>\($0)</small>" } ?? .empty
                    var interval = Markup.empty
                    if let lower = point.lower, let upper = point.upper {
                        interval = " <small>(\(style.bareText(lower))–\(style.bareText(upper)))</small>"
                    }
                    return """
                        <tr><th scope="row">\(curve.name)</th><td>\(NumberStyle.count(point.labels))\(note)</td>\
                        <td class="value"><b>\(style.text(point.value))</b>\(interval)</td></tr>

                        """
                }
                // Of one chart each curve is a block.
                return charts.count > 1 ? points.joined() : "<tbody>\(points)</tbody>"
            }
            return charts.count > 1 ? "<tbody>\(head)\(rows)</tbody>" : rows.joined()
        }
        return """
            <details><summary>Every point of the curves</summary><table class="results"><thead><tr><th scope="col">\(named)</th>\
            <th scope="col">\((charts.first?.counted ?? "labels").capitalizedFirst)</th>\
            <th scope="col">Accuracy and 95 % interval</th></tr></thead>\(blocks)</table></details>
            """
    }
}

extension LineChart {
    /// Drawn for a desktop and for a phone: letters keep their size only if the drawing is made for it.
    func figures(height: Double) -> Markup {
        var (wide, narrow) = (self, self)
        (wide.width, wide.height, narrow.width) = (760, height, 350)
        return #"<figure class="wide">\#(wide.markup())</figure><figure class="narrow">\#(narrow.markup())</figure>\#n"#
    }
}
