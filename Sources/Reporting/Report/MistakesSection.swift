internal import Files

/// What is taken for what: the confusion matrix, or of many classes its largest entries, and the most confident mistakes.
enum MistakesSection {
    private static let mostClasses = 20
    private static let mostPairs = 20

    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard let sheet = contents.mistakes, !sheet.classes.isEmpty, sheet.confusion.count == sheet.classes.count,
            sheet.confusion.allSatisfy({ $0.count == sheet.classes.count && $0.allSatisfy { $0 >= 0 } })
        else { return nil }
        var images = InlineImages(folder: contents.folder.evaluation, largest: 64 << 10)
        let tiles = sheet.worst.map { mistake -> Markup in
            let pictures = [mistake.image, mistake.saliency].compactMap { $0 }.map { name -> Markup in
                images.picture(name).map { #"<img src="\#($0.address)" alt=""/>"# } ?? #"<span class="missing">no image</span>"#
            }
            let percent = NumberStyle.fixed(mistake.confidence * 100, decimals: 0)
            return """
                <figure class="tile mistake" title="\(mistake.label), taken for \(mistake.predicted)"><span class="pair">\(pictures)</span>\
                <figcaption><span>\(mistake.label)</span><small>→ \(mistake.predicted), \(percent) %</small></figcaption></figure>

                """
        }
        if let note = images.note("evaluation/mistakes.json") { notes.append(note) }
        let saliency: Markup =
            switch sheet.saliency {
            case .gradCAM: " Beside each, yellow is what spoke for the predicted class (Grad-CAM on the last convolutional maps)."
            case .attention: " Beside each, yellow is where the network looks (attention of the last block, mean over heads)."
            case nil: .empty
            }
        let worst: Markup =
            tiles.isEmpty
            ? .empty
            : """
            <h3>Most confident mistakes</h3><p class="more">True class, predicted class and its probability.\(saliency)</p>\
            <div class="mistakes">\(tiles)</div>
            """
        let data = sheet.data.map { " of \($0)" } ?? ""
        return ReportSection(
            id: "mistakes", title: "Mistakes",
            explanation: "What the \(sheet.classifier) takes for what, on the test images\(data).",
            content: "\(sheet.classes.count <= mostClasses ? matrix(sheet) : pairs(sheet))\(worst)")
    }

    /// Rows are true classes; a cell's shade is its share of the row.
    private static func matrix(_ sheet: MistakeSheet) -> Markup {
        let columns = sheet.classes.map { name -> Markup in #"<th scope="col"><span>\#(name)</span></th>"# }
        let rows = zip(sheet.classes, sheet.confusion).enumerated().map { place, row -> Markup in
            let total = row.1.reduce(0, +)
            let cells = row.1.enumerated().map { column, count -> Markup in
                let share = total > 0 ? Int((Double(count) / Double(total) * 100).rounded()) : 0
                let kind: Markup = place == column ? "hit" : "miss"
                let title: Markup = "\(sheet.classes[place]) taken for \(sheet.classes[column]): \(NumberStyle.count(count)), \(share) %"
                return
                    #"<td class="\#(kind)" style="--share:\#(share)%" title="\#(title)">\#(count > 0 ? NumberStyle.count(count) : "")</td>"#
            }
            return #"<tr><th scope="row">\#(row.0)</th>\#(cells)</tr>"#
        }
        return """
            <div class="scroll"><table class="confusion"><thead><tr><th scope="col"><small>true ↓ predicted →</small></th>\
            \(columns)</tr></thead><tbody>\(rows)</tbody></table></div>

            """
    }

    private static func pairs(_ sheet: MistakeSheet) -> Markup {
        var found: [(row: Int, column: Int, count: Int, total: Int)] = []
        for (row, counts) in sheet.confusion.enumerated() {
            let total = counts.reduce(0, +)
            for (column, count) in counts.enumerated() where column != row && count > 0 { found.append((row, column, count, total)) }
        }
        found.sort { ($1.count, $0.row, $0.column) < ($0.count, $1.row, $1.column) }
        let rows = found.prefix(mostPairs).map { pair -> Markup in
            let share = NumberStyle.percent.text(Double(pair.count) / Double(pair.total))
            return """
                <tr><th scope="row">\(sheet.classes[pair.row])</th><td>\(sheet.classes[pair.column])</td><td class="value">\
                <b>\(NumberStyle.count(pair.count))</b> <small>\(share) of its images</small></td></tr>

                """
        }
        return """
            <table class="results"><thead><tr><th scope="col">True class</th><th scope="col">Taken for</th><th scope="col">Images</th></tr>\
            </thead><tbody>\(rows)</tbody></table>

            """
    }
}
