internal import Files

/// Embeddings in the plane. With the pointer on a point, its thumbnail is shown.
enum MapSection {
    private static let mostPoints = 6000
    private static let mostClasses = 42

    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard let map = contents.map, !map.points.isEmpty else { return nil }
        let chosen = sample(Array(map.points.indices), count: mostPoints)
        let points = chosen.map { map.points[$0] }
        let total = NumberStyle.count(map.points.count)
        let amount = points.count == map.points.count ? total : "\(NumberStyle.count(points.count)) of \(total)"
        let labels = points.map { $0.label ?? "unlabelled" }
        let classes = ((map.classes ?? []).filter(Set(labels).contains) + labels).uniqued()
        let index = Dictionary(uniqueKeysWithValues: zip(classes, 0...))
        var images = InlineImages(folder: contents.folder.evaluation, largest: 64 << 10)
        var addresses: [String] = []
        let drawn = zip(points, labels).map { point, label -> ScatterPlot.Point in
            var key: Int?
            if let picture = point.image.flatMap({ images.picture($0) }) {
                key = addresses.count
                addresses.append(picture.address)
            }
            return ScatterPlot.Point(x: point.x, y: point.y, series: index[label] ?? 0, title: label, key: key)
        }
        if let note = images.note("evaluation/map.json") { notes.append(note) }
        var plot = ScatterPlot(
            title: map.method ?? "Two dimensions", unit: "\(amount) images", series: classes, points: drawn)
        plot.showsLegend = false
        let others = (map.others ?? []).map { other -> Markup in
            var same = plot
            same.title = other.method
            for (place, row) in chosen.enumerated() { (same.points[place].x, same.points[place].y) = (other.x[row], other.y[row]) }
            return "<figure>\(same.markup())</figure>"
        }
        return ReportSection(
            id: "map", title: "Map",
            explanation: """
                Each point is an image; images the encoder holds for alike lie close. \
                Two dimensions show little of the whole: trust the numbers above more.\
                \(others.isEmpty ? "" : " Of t-SNE’s and UMAP’s only the neighbourhoods mean something, not distances and sizes of groups.")
                """,
            content: """
                <div class="map\(classes.count > 14 ? " many" : "")"><div class="maps"><figure>\(plot.markup())</figure>\
                \(others)</div>
                \(legend(classes))</div>
                <div id="peek" hidden="hidden" aria-hidden="true"><img alt=""/><span></span></div>
                <script type="application/json" id="map-images">\(Markup(raw: json(addresses)))</script>
                """)
    }

    /// `count` of the points, the same ones every time. Scattered, because points may be sorted by class, or dealt out class by
    /// class: neither the first ones nor every so-many-th one would be a fair choice.
    static func sample<Point>(_ points: [Point], count: Int) -> [Point] {
        guard points.count > count else { return points }
        func scattered(_ index: Int) -> UInt64 {
            var z = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        return points.indices.sorted { scattered($0) < scattered($1) }.prefix(count).sorted().map { points[$0] }
    }

    private static func legend(_ classes: [String]) -> Markup {
        guard classes.count > 1 else { return .empty }
        let entries = classes.prefix(mostClasses).enumerated().map { number, name -> Markup in
            """
            <li><button type="button" aria-pressed="false" data-series="\(number)"><svg viewBox="-8 -8 16 16" aria-hidden="true">\
            \(ScatterPlot.sign(number))</svg><span>\(name)</span></button></li>

            """
        }
        let hidden = classes.count - mostClasses
        let more: Markup = hidden > 0 ? "<li>and \(NumberStyle.count(hidden)) more</li>" : .empty
        return #"<ul class="legend" aria-label="Classes; press one to single it out">\#(entries)\#(more)</ul>"#
    }

    /// Base64 and a type that is one of four constants: nothing in it needs escaping, in JSON or in HTML.
    private static func json(_ addresses: [String]) -> String {
        "[" + addresses.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }
}
