import ArgumentParser
import Fovea
import Foundation

struct Pretrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pretrain an encoder on images, without labels.",
        discussion: """
            Give a folder of images (sub-folders are searched), a CSV list, or a packed set (CIFAR, IDX, STL-10). Either
            choose a method and let the rest be sensible, or give a whole recipe; --set changes any setting of either.
            """)

    @Argument(help: "Images: a folder, a .csv list, or a packed set.", completion: .file())
    var images: String?

    @Option(help: "The same as the argument.", completion: .file())
    var data: String?

    @Option(help: "A recipe: a file, or a name that `fovea recipes` lists.", completion: .file())
    var recipe: String?

    @Option(help: "The method; `fovea methods` lists them. By default one that suits the number of images and the machine.")
    var method: String?

    @Option(help: "Of methods that learn from another run's encoder (bownet): that run.", completion: .directory)
    var teacher: String?

    @Option(help: "The backbone; `fovea backbones` lists them.")
    var backbone: String?

    @Option(help: "Channels of the backbone's first stage; 64 is the published network.")
    var width: Int?

    @Option(help: "The side of a transformer's patches in pixels; by default 4 for images up to 64 pixels, else 16.")
    var patch: Int?

    @Option(help: "Times through the images.")
    var epochs: Int?

    @Option(help: "Images per step.")
    var batchSize: Int?

    @Option(help: "The side of the views in pixels.")
    var imageSize: Int?

    @Option(help: "What chance draws from.")
    var seed: UInt64?

    @Option(help: "Also keep the checkpoint of every so many epochs, as epoch-N; 0 keeps last and best only.")
    var keepEvery: Int?

    @Option(name: .customLong("set"), help: "Any setting: key.path=value, such as method.temperature=0.2. May be repeated.")
    var changes: [String] = []

    @Option(help: "Where the run is kept; made if missing.", completion: .directory)
    var out: String?

    @Option(help: "Go on with the run in this folder.", completion: .directory)
    var resume: String?

    @Option(name: .customLong("from"), help: "With --resume: the checkpoint to go on from (last, best, epoch-N).")
    var checkpoint: String?

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print the whole recipe instead of running it.")
    var printRecipe = false

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        if resume != nil {
            let others: [(name: String, isGiven: Bool)] = [
                ("the images (--data says where they are now)", images != nil), ("--recipe", recipe != nil), ("--method", method != nil),
                ("--teacher", teacher != nil),
                ("--backbone", backbone != nil), ("--width", width != nil), ("--patch", patch != nil), ("--epochs", epochs != nil),
                ("--batch-size", batchSize != nil), ("--image-size", imageSize != nil), ("--seed", seed != nil),
                ("--keep-every", keepEvery != nil), ("--set", !changes.isEmpty), ("--out", out != nil), ("--print-recipe", printRecipe),
            ]
            let given = others.filter(\.isGiven).map(\.name)
            guard given.isEmpty else {
                throw ValidationError("--resume goes on with a run as it was begun: leave out \(given.joined(separator: ", "))")
            }
        } else {
            guard checkpoint == nil else { throw ValidationError("--from chooses a checkpoint to go on from: give --resume too") }
            guard images != nil || data != nil else { throw ValidationError("say which images: fovea pretrain photos/ --out runs/photos") }
            guard images == nil || data == nil else { throw ValidationError("give the images once: as argument or by --data") }
        }
        for (name, setting, value) in [
            ("--epochs", "training.epochs", epochs), ("--batch-size", "training.batchSize", batchSize),
            ("--width", "backbone.width", width), ("--patch", "backbone.patchSize", patch),
        ] {
            if let value, value < 1 { throw ValidationError("\(name) \(value): \(setting) must be at least 1") }
        }
        if let keepEvery, keepEvery < 0 { throw ValidationError("--keep-every \(keepEvery): give a number of epochs, or 0 for none") }
        for change in changes {
            switch change.prefix(while: { $0 != "=" }) {
            case "data.path":
                throw ValidationError("--set \(change): the images are given already, as argument or by --data: leave one of them out")
            case "method.name":
                // The settings beside the name are another method's.
                let name = change.drop { $0 != "=" }.dropFirst()
                throw ValidationError("--set \(change): choose the method by --method \(name)")
            default: break
            }
        }
    }

    func run() throws {
        Interruption.watch()
        machine.apply()
        if printRecipe {
            print(try RecipeFile.text(makeRecipe((images ?? data)!)), terminator: "")
            return
        }
        var options = try machine.trainerOptions()
        options.observer = TerminalProgress(quiet: quiet)
        options.shouldStop = { Interruption.isRequested }

        let trainer = try Interruption.preparing { try resume.map { try resumed($0, options) } ?? begun(options) }
        let folder = trainer.folder.path
        do {
            switch try trainer.run() {
            case .interrupted:
                note("saved; go on by: fovea pretrain --resume \(folder)")
                throw ExitCode(130)
            case .finished:
                do { try RunReport.write(folder) } catch { note("note: no report: \(error)") }
                note("the encoder is \(trainer.folder.encoder); next: fovea evaluate \(folder) --data <labelled images>")
            }
        } catch let error as FileError {
            throw TrainingError("\(error); what was saved before is whole: go on by fovea pretrain --resume \(folder)")
        }
    }

    private func begun(_ options: Trainer.Options) throws -> Trainer {
        let path = (images ?? data)!
        let recipe = try makeRecipe(path)
        let dataset = try recipe.data.open(MethodRegistry.standard.entry(named: recipe.method.name), options: .telling)
        let out = out ?? "runs/\(recipe.method.name)-\((path as NSString).standardizingPath.split(separator: "/").last ?? "images")"
        let folder = RunFolder(out)
        let trainer = try Trainer(recipe, dataset: dataset, folder: folder, options: options)
        try writeViews(trainer)
        return trainer
    }

    private func resumed(_ path: String, _ options: Trainer.Options) throws -> Trainer {
        let folder = RunFolder(path)
        guard !folder.lacksRecipe else {
            throw TrainingError("\(folder.recipe) is missing, without which the checkpoints in \(path) cannot be gone on from: put it back")
        }
        guard folder.holdsRun else { throw TrainingError("\(path) holds no run: give the folder that --out named") }
        var recipe = try RecipeFile().read(folder.recipe)
        if let data { recipe.data.path = data }
        let entry = try MethodRegistry.standard.entry(named: recipe.method.name)
        let dataset: any ImageDataset
        do { dataset = try recipe.data.open(entry, options: .telling) } catch let error as DatasetError where data == nil {
            throw TrainingError(
                "\(error); that is where \(folder.recipe) has the images: if they are elsewhere now, or this is another folder than the run "
                    + "was begun in, give --data <where the images are now>")
        }
        let trainer = try Trainer(resuming: folder, from: checkpoint ?? "last", dataset: dataset, options: options)
        try writeViews(trainer)
        return trainer
    }

    /// What the method sees, for the report; a run that was killed early may lack it.
    private func writeViews(_ trainer: Trainer) throws {
        let file = trainer.folder.file("evaluation/views.png")
        guard !FileManager.default.fileExists(atPath: file) else { return }
        try ViewSheet.write(trainer.recipe, trainer.dataset, to: file, method: trainer.method)
    }

    /// The recipe file, or a default that fits the data, with the command line's options over it.
    private func makeRecipe(_ path: String) throws -> Recipe {
        var changes: [String] = []
        func change(_ key: String, _ value: (some CustomStringConvertible)?) {
            if let value { changes.append("\(key)=\(value)") }
        }
        change("method.teacher", teacher)
        change("backbone.name", backbone)
        change("backbone.width", width)
        change("backbone.patchSize", patch)
        change("training.epochs", epochs)
        change("training.batchSize", batchSize)
        change("data.imageSize", imageSize)
        change("training.seed", seed)
        change("monitoring.keepEveryEpochs", keepEvery)
        changes += self.changes
        let reader = RecipeFile()
        var chosen: Recipe
        if let recipe {
            let file = try RecipeLibrary.locate(recipe)
            if let method, case let own = try reader.read(file).method.name, own != method {
                _ = try MethodRegistry.standard.entry(named: method)
                throw ValidationError(
                    "--method \(method): the recipe \(recipe) is one of \(own); take another recipe, or leave --recipe out")
            }
            if teacher != nil { try requireUse(of: teacher, by: reader.read(file).method.name) }
            chosen = try reader.read(file, changes: changes)
        } else {
            let dataset: any ImageDataset
            try requireUse(of: teacher, by: method)
            if let method, try MethodRegistry.standard.entry(named: method).card.needsClips {
                dataset = try ClipDataset(path)
            } else {
                let splits = try DatasetSplits.open(path, heldOut: false)
                dataset = splits.unlabelled ?? splits.train
            }
            let suited = method == nil ? DefaultRecipe.method(for: dataset.count, on: try machine.chosenDevice()) : nil
            if let suited { note("method \(suited.name), for none was named: \(suited.reason); --method names another") }
            let text = try RecipeFile.text(
                DefaultRecipe.make(
                    method: method ?? suited!.name, for: dataset, epochs: epochs.map { max(1, $0) }, backbone: backbone))
            chosen = try reader.parse(text, source: "the command line", changes: changes)
        }
        chosen.data.path = path
        return chosen
    }

    private func requireUse(of teacher: String?, by method: String?) throws {
        guard teacher != nil else { return }
        let registry = MethodRegistry.standard
        func learns(_ entry: MethodEntry) -> Bool { Mirror(reflecting: entry.settings.init()).children.contains { $0.label == "teacher" } }
        if let method, try learns(registry.entry(named: method)) { return }
        throw ValidationError(
            "--teacher: \(method ?? "what is chosen for these images") learns from no other run; "
                + "\(registry.entries.filter(learns).map(\.card.name).joined(separator: ", ")) does, and `fovea distill`")
    }

    private func note(_ line: String) {
        if !quiet { Terminal.say(line) }
    }
}
