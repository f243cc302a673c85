internal import Files

/// What the method made of training images: colourised, filled in, reconstructed, or sampled from nothing.
enum PicturesSection {
    private static let mostRows = 12

    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard let sheet = contents.pictures, !sheet.rows.isEmpty else { return nil }
        var images = InlineImages(folder: contents.folder.evaluation, largest: 4 << 20)
        let rows = sheet.rows.prefix(mostRows).compactMap { row -> Markup? in
            images.picture(row.image).map { picture in
                #"<figure class="pictures"><figcaption>\#(row.title)</figcaption><img src="\#(picture.address)" alt="\#(row.title)"/></figure>"#
            }
        }
        if let note = images.note("evaluation/pictures.json") { notes.append(note) }
        guard !rows.isEmpty else { return nil }
        return ReportSection(
            id: "pictures", title: "Pictures",
            explanation: "What the method makes of training images, as evaluation sees them; the same image in the same column.",
            content: "\(rows)")
    }
}
