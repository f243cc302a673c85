/// Files that could not be decoded and were left out, of training and of the last measurement.
struct UnreadableSection {
    let section: ReportSection?
    private static let mostFiles = 20

    init(_ contents: RunContents) {
        let lists = [
            Self.list(contents.unreadable, of: "training", in: "unreadable.csv"),
            Self.list(contents.unreadableInEvaluation, of: "the last measurement", in: "evaluation/unreadable.csv"),
        ].compactMap(\.self)
        guard let first = lists.first else {
            section = nil
            return
        }
        let others = lists.dropFirst().map { #"<p>\#($0.count)</p>\#($0.files)"# as Markup }
        section = ReportSection(
            id: "unreadable", title: "Unreadable files", explanation: first.count, content: #"\#(first.files)\#(others)"#)
    }

    /// How many there are, in a sentence, and the first of them.
    private static func list(
        _ files: [RunFolderReader.UnreadableFile]?, of what: String, in list: String
    ) -> (count: Markup, files: Markup)? {
        guard let files, !files.isEmpty else { return nil }
        let rows = files.prefix(mostFiles).map { file -> Markup in
            "<li><code>\(file.name)</code> <span>\(file.reason)</span></li>\n"
        }
        let hidden = files.count - mostFiles
        let more: Markup =
            hidden > 0 ? #"<p class="more">and \#(NumberStyle.count(hidden)) more, all in <code>\#(list)</code>.</p>"# : .empty
        let count = files.count == 1 ? "1 file was" : "\(NumberStyle.count(files.count)) files were"
        return ("\(count) left out of \(what).", #"<ul class="files">\#(rows)</ul>\#(more)"#)
    }
}
