/// Which columns of `metrics.csv` share a chart.
enum Curves {
    struct Chart: Equatable {
        var title: String
        var unit: String?
        /// What the curve tells, in a few words.
        var caption: String?
        var columns: [String]
        /// As the curves are called in the chart.
        var names: [String]
    }

    /// The embeddings that health is measured on, with a name for readers.
    private static let embeddings = ["h", "z"]

    static func isHealth(_ column: String) -> Bool {
        let parts = split(column)
        return parts.prefix.map { embeddings.contains($0) || $0 == "target" } ?? false
    }

    static func learning(_ metrics: MetricTable) -> [Chart] {
        let columns = plotted(metrics).filter { !isHealth($0) }
        let losses = columns.filter { $0 == "loss" || $0.hasPrefix("loss.") }
        var charts: [Chart] = []
        if !losses.isEmpty {
            charts.append(Chart(title: "Loss", columns: losses, names: losses.map { $0 == "loss" ? "total" : String($0.dropFirst(5)) }))
        }
        let first = ["knn"].filter(columns.contains)
        for column in first + columns.filter({ !losses.contains($0) && !first.contains($0) }) {
            charts.append(chart(column))
        }
        return charts
    }

    static func health(_ metrics: MetricTable) -> [Chart] {
        let columns = plotted(metrics).filter(isHealth)
        return columns.map { split($0).suffix }.uniqued().map { suffix in
            let members = columns.filter { split($0).suffix == suffix }
            let known = explanation(suffix)
            return Chart(
                title: known?.title ?? suffix.replacing("_", with: " ").capitalizedFirst, caption: known?.caption, columns: members,
                names: members.map { split($0).prefix ?? $0 })
        }
    }

    private static func chart(_ column: String) -> Chart {
        switch column {
        case "knn": Chart(title: "kNN accuracy", unit: "during training", columns: [column], names: ["kNN"])
        default:
            Chart(title: column.replacing("_", with: " ").capitalizedFirst, columns: [column], names: [column])
        }
    }

    private static func explanation(_ measure: String) -> (title: String, caption: String)? {
        switch measure {
        case "std": ("Standard deviation", "Mean over dimensions. Near zero, all images fall on one point.")
        case "rank": ("Effective rank", "How many directions the embeddings use. Near one, they lie on a line.")
        case "alignment": ("Alignment", "Distance between two views of one image. Lower is closer.")
        case "uniformity": ("Uniformity", "Lower is more evenly spread over the sphere; zero is one point.")
        case "entropy": ("Entropy of targets", "Near zero, all images share one target.")
        default: nil
        }
    }

    /// Columns with at least one number in them, other than the axis.
    private static func plotted(_ metrics: MetricTable) -> [String] {
        metrics.columns.uniqued().filter { column in
            !column.isEmpty && column != "epoch" && column != "step" && (metrics.values(column) ?? []).contains { $0 != nil }
        }
    }

    private static func split(_ column: String) -> (prefix: String?, suffix: String) {
        guard let dot = column.firstIndex(of: "."), column[..<dot] != "loss" else { return (nil, column) }
        return (String(column[..<dot]), String(column[column.index(after: dot)...]))
    }

    /// What is measured every so many epochs has no gaps: between single values, the empty cells are left out.
    private static func withoutPauses(_ cells: [(Double, Double?)]) -> [(Double, Double?)] {
        let stretches = cells.split { $0.1 == nil }
        return stretches.count { $0.count == 1 } * 3 >= stretches.count * 2 ? cells.filter { $0.1 != nil } : cells
    }

    static func figures(_ charts: [Chart], _ metrics: MetricTable) -> Markup {
        let (axis, positions) = metrics.positions
        return charts.map { chart -> Markup in
            let series = zip(chart.columns, chart.names).map { column, name in
                let cells = withoutPauses(zip(positions, metrics.values(column) ?? []).compactMap { x, y in x.map { ($0, y) } })
                return LineChart.Series(name: name, x: cells.map(\.0), y: cells.map(\.1))
            }
            var line = LineChart(title: chart.title, unit: chart.unit, xLabel: axis, series: series)
            let values = series.flatMap { $0.y.compactMap { $0 } }
            if chart.columns == ["knn"], values.allSatisfy({ (0...1).contains($0) }) { line.style = .percent }
            // Two orders of magnitude hide in each other on a linear axis.
            if let least = values.min(), let most = values.max(), least > 0, most / least > 100 { line.logarithmic = true }
            let caption: Markup = chart.caption.map { "<figcaption>\($0)</figcaption>" } ?? .empty
            return "<figure>\(line.markup())\(caption)</figure>\n"
        }.joined()
    }
}
