/// Embeddings in the plane. With the pointer on a point, its thumbnail is shown.
enum MapSection {
    private static let mostPoints = 6000
    private static let mostClasses = 42

    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard let map = contents.map, !map.points.isEmpty else { return nil }
        // Every so-many-th point: the first ones might all be of one class.
        let stride = (map.points.count + mostPoints - 1) / mostPoints
        let points = map.points.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
        if stride > 1 {
            notes.append(
                "evaluation/map.json: \(NumberStyle.count(points.count)) of \(NumberStyle.count(map.points.count)) points are drawn")
        }
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
            title: map.method ?? "Two dimensions", unit: "\(NumberStyle.count(points.count)) images", series: classes, points: drawn)
        plot.showsLegend = false
        return ReportSection(
            id: "map", title: "Map",
            explanation: """
                Each point is an image; images the encoder holds for alike lie close. \
                Two dimensions show little of the whole: trust the numbers above more.
                """,
            content: """
                <div class="map"><figure>\(plot.markup())</figure>
                \(legend(classes))</div>
                <div id="peek" hidden="hidden" aria-hidden="true"><img alt=""/><span></span></div>
                <script type="application/json" id="map-images">\(Markup(raw: json(addresses)))</script>
                """)
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
