internal import Methods

/// Whether a checkpoint may be gone on from under a recipe: everything that training depends on must be the same. Where the
/// images lie, what is measured and how often is saved may have been changed since.
enum RecipeComparison {
    /// The first line that differs, as each has it; nil when the recipes train the same.
    static func difference(_ saved: Recipe, _ current: Recipe) throws -> (saved: String, current: String)? {
        let (saved, current) = (trained(saved), trained(current))
        if saved == current { return nil }
        let (old, new) = (try lines(saved), try lines(current))
        let place = zip(old, new).enumerated().first { $1.0 != $1.1 }?.offset ?? min(old.count, new.count)
        let (a, b) = (place < old.count ? old[place] : nil, place < new.count ? new[place] : nil)
        func key(_ line: String) -> Substring { line.prefix { $0 != ":" } }
        func lacks(_ lines: [String], _ line: String) -> Bool { !lines.contains { key($0) == key(line) } }
        // A setting that one of them leaves out shifts all lines after it.
        if let b, lacks(old, b) { return ("no \(key(b))", b) }
        if let a, lacks(new, a) { return (a, "no \(key(a))") }
        return (a ?? "nothing", b ?? "nothing")
    }

    private static func trained(_ recipe: Recipe) -> Recipe {
        var recipe = recipe
        recipe.provenance = ""
        recipe.monitoring = MonitoringSettings()
        recipe.data.path = nil
        recipe.data.unreadableShare = DataSettings().unreadableShare
        recipe.data.cacheMegabytes = DataSettings().cacheMegabytes
        recipe.training.recompute = nil
        return recipe
    }

    /// Of the YAML, each with the keys above it: `training.seed: 3`.
    private static func lines(_ recipe: Recipe) throws -> [String] {
        var path: [(indent: Int, key: String)] = []
        return try RecipeFile.text(recipe).split(separator: "\n").map { line in
            let indent = line.prefix { $0 == " " }.count
            while let last = path.last, last.indent >= indent { path.removeLast() }
            let text = line.dropFirst(indent)
            let name = (path.map(\.key) + [String(text)]).joined(separator: ".")
            if text.last == ":" { path.append((indent, String(text.dropLast()))) }
            return name
        }
    }
}
