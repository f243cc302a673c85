internal import Files

/// What is needed to judge the run, or to do it again.
struct FactsSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let facts = contents.summary.map(Self.facts) ?? []
        guard !facts.isEmpty || contents.recipe != nil else {
            section = nil
            return
        }
        let list: Markup =
            facts.isEmpty ? .empty : #"<dl class="facts">\#(facts.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>" as Markup })</dl>\#n"#
        let recipe: Markup =
            contents.recipe.map { recipe in
                let lines = recipe.split(separator: "\n", omittingEmptySubsequences: false).map { "\(String($0))\n" as Markup }
                return "<details><summary>recipe.yaml</summary><pre><code>\(lines)</code></pre></details>"
            } ?? .empty
        section = ReportSection(
            id: "facts", title: "Run facts", explanation: "What was trained, on what, and what it took.", content: "\(list)\(recipe)")
    }

    private static func facts(_ summary: RunSummary) -> [(String, String)] {
        let data = summary.dataset
        let facts: [(String, String?)] = [
            ("Method", summary.method),
            ("Paper", summary.paper),
            ("Backbone", summary.backbone),
            ("Parameters", summary.parameters.map(NumberStyle.count)),
            ("Dataset", data?.name),
            ("Images", data?.images.map(NumberStyle.count)),
            ("Classes", data?.classes.map(NumberStyle.count)),
            ("Unreadable files", data?.unreadable.map(NumberStyle.count)),
            ("Image size", summary.imageSize.map { "\($0) × \($0)" }),
            ("Epochs", summary.epochs.map(NumberStyle.count)),
            ("Batch size", summary.batchSize.map(NumberStyle.count)),
            ("Seed", summary.seed.map { String($0) }),
            ("Device", summary.device),
            ("Threads", summary.threads.map(NumberStyle.count)),
            ("libtorch", summary.libtorch),
            ("Fovea", summary.fovea),
        ]
        return facts.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : (name, $0) } }
    }
}
