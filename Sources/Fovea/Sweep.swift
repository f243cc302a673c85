internal import Foundation

/// A recipe over a grid: every combination of the axes' values is a run, measured alike. What is done is kept, so that a sweep that
/// was broken off goes on where it stopped.
public struct Sweep {
    public struct Axis: Sendable {
        public var name: String
        public var values: [Value]

        public init(name: String, values: [Value]) {
            self.name = name
            self.values = values
        }
    }

    public struct Value: Sendable {
        public var label: String
        var change: Change

        enum Change: Sendable {
            /// `training.epochs=3`
            case setting(String)
            /// Of these and those of other axes: SimCLR's figure 5.
            case composing(String)
            case leavingOut(String?)
        }
    }

    public var axes: [Axis]
    /// From the recipe's own on.
    public var seeds = 1
    /// The sweep's folder.
    public var folder: String
    public var methods = MethodRegistry.standard
    public var options = Trainer.Options()
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }

    /// - Throws: `RecipeError` when two axes have one name, or an axis has a value twice or none.
    public init(_ axes: [Axis], folder: String) throws {
        guard !axes.isEmpty else { throw RecipeError("a sweep needs a grid: --grid training.epochs=10,20") }
        for (place, axis) in axes.enumerated() {
            guard !axis.values.isEmpty, Set(axis.values.map(\.label)).count == axis.values.count else {
                throw RecipeError("--grid \(axis.name): give different values with commas between them")
            }
            guard !axes[..<place].contains(where: { $0.name == axis.name }) else {
                throw RecipeError("--grid \(axis.name) is given twice: put all its values into one")
            }
        }
        self.axes = axes
        self.folder = folder
    }

    /// `training.batchSize=64,128`; commas within brackets do not part values.
    public static func axis(_ text: String) throws -> Axis {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw RecipeError("--grid \(text): write it as key=value,value, such as training.batchSize=64,128")
        }
        let key = String(text[..<equals])
        var parts = [""]
        var depth = 0
        for character in text[text.index(after: equals)...] {
            if "[{".contains(character) { depth += 1 }
            if "]}".contains(character) { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        let values = parts.map { $0.trimmingCharacters(in: .whitespaces) }
        guard values.allSatisfy({ !$0.isEmpty }) else { throw RecipeError("--grid \(text): a value is empty") }
        return Axis(name: key, values: values.map { Value(label: $0, change: .setting("\(key)=\($0)")) })
    }

    /// Pairs of augmentations (SimCLR, figure 5): both views are cropped, and one of them goes through the first axis's augmentation
    /// and the second's; on the diagonal through one alone. `crop` stands for nothing but the crop.
    /// - Parameter names: nil for all that the recipe's views have.
    public static func compositions(_ names: [String]?, of recipe: Recipe, methods: MethodRegistry = .standard) throws -> [Axis] {
        let steps = try augmentations(of: recipe, methods)
        let known = ["crop"] + steps.map(\.name)
        for name in names ?? [] where !known.contains(name) {
            throw RecipeError("--compose \(name): the recipe's views have \(known.joined(separator: ", "))")
        }
        return ["first augmentation", "second augmentation"].map { axis in
            Axis(name: axis, values: (names ?? known).map { Value(label: $0, change: .composing($0)) })
        }
    }

    /// All augmentations, and all but each of them.
    public static func omissions(of recipe: Recipe, methods: MethodRegistry = .standard) throws -> Axis {
        let steps = try augmentations(of: recipe, methods)
        let without = steps.map { Value(label: "no \($0.name)", change: .leavingOut($0.name)) }
        return Axis(name: "augmentations", values: [Value(label: "all", change: .leavingOut(nil))] + without)
    }

    private static func views(of recipe: Recipe, _ methods: MethodRegistry) throws -> ViewRecipe {
        let entry = try methods.entry(named: recipe.method.name)
        guard let views = try (recipe.views ?? entry.views(recipe.method.settings, imageSize: recipe.data.imageSize)) as? ViewRecipe else {
            throw RecipeError("\(entry.card.title) makes more of an image than augmented views: its augmentations cannot be taken apart")
        }
        return views
    }

    /// Of the first view, without the crop that every view begins with.
    private static func augmentations(of recipe: Recipe, _ methods: MethodRegistry) throws -> [Augmentation] {
        guard let view = try views(of: recipe, methods).views.first, let crop = view.augmentations.first,
            crop.step is RandomResizedCrop
        else { throw RecipeError("the recipe's first view does not begin with a randomResizedCrop, which is what is always kept") }
        return Array(view.augmentations.dropFirst())
    }

    // MARK: Cells

    struct Cell {
        var labels: [String]
        var recipe: Recipe
        var name: String
    }

    /// Every combination and seed, the last axis fastest.
    func cells(of base: Recipe) throws -> [Cell] {
        var combinations: [[Value]] = [[]]
        for axis in axes { combinations = combinations.flatMap { row in axis.values.map { row + [$0] } } }
        let reader = RecipeFile(methods: methods)
        let text = try RecipeFile.text(base)
        return try combinations.flatMap { values -> [Cell] in
            let settings = values.compactMap { value in if case .setting(let change) = value.change { change } else { nil } }
            var recipe = try reader.parse(text, source: "the grid", changes: settings)
            try changeViews(&recipe, values.map(\.change))
            try recipe.validate(methods.entry(named: recipe.method.name))
            return (0..<max(1, seeds)).map { index in
                var cell = recipe
                cell.training.seed = recipe.training.seed &+ UInt64(index)
                let parts = zip(axes, values).map { axis, value in
                    "\(axis.name.split(separator: ".").last ?? "")-\(value.label)"
                }
                let name = (parts + (seeds > 1 ? ["seed-\(cell.training.seed)"] : [])).joined(separator: "_")
                return Cell(labels: values.map(\.label), recipe: cell, name: Self.fileName(name))
            }
        }
    }

    private static func fileName(_ text: String) -> String {
        String(text.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
    }

    private func changeViews(_ recipe: inout Recipe, _ changes: [Value.Change]) throws {
        let composed = changes.compactMap { change in if case .composing(let name) = change { name } else { nil } }
        let omitted = changes.compactMap { change -> String? in if case .leavingOut(let name) = change { name } else { nil } }
        if !composed.isEmpty {
            let steps = try Self.augmentations(of: recipe, methods)
            let first = try Self.views(of: recipe, methods).views[0]
            // In the recipe's order, each once.
            let kept = steps.filter { composed.contains($0.name) }
            var (plain, changed) = (first, first)
            (plain.name, changed.name, plain.copies, changed.copies) = ("plain", "augmented", 1, 1)
            plain.augmentations = [first.augmentations[0]]
            changed.augmentations = [first.augmentations[0]] + kept
            recipe.views = try ViewRecipe(views: [plain, changed])
        }
        for name in omitted {
            let views = try Self.views(of: recipe, methods).views.map { view in
                var view = view
                view.augmentations.removeAll { $0.name == name }
                return view
            }
            recipe.views = try ViewRecipe(views: views)
        }
    }

    // MARK: Running

    public enum Ending: Sendable {
        case finished(SweepTable)
        case interrupted(SweepTable)
    }

    /// Trains and measures what is not done yet.
    /// - Parameters:
    ///   - base: with the images' path.
    ///   - measured: what `measure` gives.
    ///   - data: the images that it measures on, in words that are others for other images.
    ///   - measure: of a finished encoder, one number.
    /// - Throws: `RecipeError` when the folder holds a sweep of another grid or measured on other images, or a run of another recipe.
    ///   A run that diverges is noted, and the others go on.
    public func callAsFunction(
        _ base: Recipe, measured: String, on data: String? = nil, _ measure: (Encoder) throws -> EvaluationResult
    ) throws -> Ending {
        let cells = try cells(of: base)
        let file = "\(folder)/evaluation/sweep.json"
        let axes = axes.map { SweepTable.Axis(name: $0.name, values: $0.values.map(\.label)) }
        var table = SweepTable(axes: axes, measured: measured, data: data, runs: cells.count)
        if let bytes = FileManager.default.contents(atPath: file), let found = try? JSONDecoder().decode(SweepTable.self, from: bytes) {
            guard found.axes == axes, found.measured == measured else {
                throw RecipeError("\(folder) holds a sweep of another grid or measure: give another --out")
            }
            guard found.data == data else {
                func named(_ data: String?) -> String { data.map { "'\($0)'" } ?? "images that it does not name" }
                throw RecipeError("\(folder) holds a sweep measured on \(named(found.data)), not on \(named(data)): give another --out")
            }
            (table.rows, table.diverged) = (found.rows, found.diverged)
        }
        let entry = try methods.entry(named: base.method.name)
        var opened = (data: base.data, images: try base.data.open(entry))
        for (number, cell) in cells.enumerated() {
            let run = RunFolder("\(folder)/runs/\(cell.name)")
            if run.holdsRun {
                guard try RecipeFile.text(RecipeFile(methods: methods).read(run.recipe)) == RecipeFile.text(cell.recipe) else {
                    throw RecipeError("\(run.path) holds a run of another recipe: give another --out")
                }
                if table.rows.contains(where: { $0.run == "runs/\(cell.name)" }) { continue }
                // It would do so again.
                if table.diverged?.contains(where: { $0.run == "runs/\(cell.name)" }) == true { continue }
            } else {
                table.rows.removeAll { $0.run == "runs/\(cell.name)" }
                table.diverged?.removeAll { $0.run == "runs/\(cell.name)" }
            }
            progress("run \(number + 1) of \(cells.count): \(cell.name)")
            if cell.recipe.data != opened.data { opened = (cell.recipe.data, try cell.recipe.data.open(entry)) }
            if !FileManager.default.fileExists(atPath: run.encoder) {
                let trainer =
                    try run.holdsRun
                    ? Trainer(resuming: run, dataset: opened.images, methods: methods, options: options)
                    : Trainer(cell.recipe, dataset: opened.images, folder: run, methods: methods, options: options)
                do {
                    guard try trainer.run() == .finished else { return .interrupted(table) }
                } catch let error as TrainingError where error.isDivergence {
                    let lost = SweepTable.Diverged(
                        values: cell.labels, seed: Int(cell.recipe.training.seed), run: "runs/\(cell.name)", reason: error.description)
                    table.diverged = (table.diverged ?? []) + [lost]
                    try write(table, file)
                    continue
                }
            }
            let result = try measure(Encoder.load(run.path, on: options.device, methods: methods))
            let timing = FileManager.default.contents(atPath: run.timingSummary).flatMap {
                try? JSONDecoder().decode(RunTiming.self, from: $0)
            }
            table.rows.append(
                .init(
                    values: cell.labels, seed: Int(cell.recipe.training.seed), run: "runs/\(cell.name)", result: result,
                    seconds: timing?.seconds))
            // In the grid's order, whatever was done first.
            let order = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ("runs/\($1.name)", $0) })
            table.rows.sort { order[$0.run] ?? .max < order[$1.run] ?? .max }
            try write(table, file)
            if options.shouldStop() { return .interrupted(table) }
        }
        return .finished(table)
    }

    private func write(_ table: SweepTable, _ file: String) throws {
        try JSONFile.write(table, to: file)
        var lines = [table.axes.map(\.name) + ["seed", "protocol", "metric", "value", "lower", "upper", "setting", "seconds", "run"]]
        lines += table.rows.map { row in
            let result = row.result
            let numbers = [result.value, result.lower, result.upper].map { $0.map { "\($0)" } ?? "" }
            return row.values + ["\(row.seed)", result.protocolName, result.metric] + numbers
                + [result.setting ?? "", row.seconds.map { "\($0)" } ?? "", row.run]
        }
        try AtomicFile.write(CSV.write(lines, lineEnding: "\n"), to: "\(folder)/evaluation/sweep.csv")
    }
}
