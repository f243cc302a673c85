/// The augmented views that the method was trained on.
enum ViewsSection {
    static func section(_ contents: RunContents, _ notes: inout [String]) -> ReportSection? {
        guard contents.hasViews else { return nil }
        var images = InlineImages(folder: contents.folder.evaluation, largest: 8 << 20)
        guard let picture = images.picture("views.png") else {
            if let note = images.note("evaluation/views.png") { notes.append(note) }
            return nil
        }
        return ReportSection(
            id: "views", title: "Views",
            explanation: "What the method saw: augmented views of the same images. The encoder learns to ignore what differs between them.",
            content: #"<figure class="views"><img src="\#(picture.address)" alt="A sheet of augmented views"/></figure>"#)
    }
}
