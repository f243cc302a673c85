/// Files of the dataset that could not be decoded and were left out of training.
struct UnreadableSection {
    let section: ReportSection?
    private static let mostFiles = 20

    init(_ contents: RunContents) {
        guard let files = contents.unreadable, !files.isEmpty else {
            section = nil
            return
        }
        let rows = files.prefix(Self.mostFiles).map { file -> Markup in
            "<li><code>\(file.name)</code> <span>\(file.reason)</span></li>\n"
        }
        let hidden = files.count - Self.mostFiles
        let more: Markup =
            hidden > 0 ? #"<p class="more">and \#(NumberStyle.count(hidden)) more, all in <code>unreadable.csv</code>.</p>"# : .empty
        let count = files.count == 1 ? "1 file was" : "\(NumberStyle.count(files.count)) files were"
        section = ReportSection(
            id: "unreadable", title: "Unreadable files", explanation: "\(count) left out of training.",
            content: #"<ul class="files">\#(rows)</ul>\#(more)"#)
    }
}
