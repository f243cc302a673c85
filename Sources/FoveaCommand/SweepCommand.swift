import ArgumentParser
import Fovea
import Foundation

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Run a recipe over a grid of settings.",
        discussion: """
            Every combination is a run in OUT/runs, measured by a classifier on frozen features. The table OUT/evaluation/sweep.csv grows
            run by run; the same command goes on with a sweep that was broken off. Two axes or more make a heat-map in the report.
              fovea sweep photos/ --recipe simclr/cifar10 --grid training.batchSize=64,256 --grid training.epochs=10,50 --data labelled/
              fovea sweep photos/ --recipe simclr/cifar10 --compose crop,colorJitter,grayscale --data labelled/
            """)

    @Argument(help: "Images to train on: a folder, a CSV list, or a packed set.", completion: .file())
    var images: String

    @Option(
        help: "A recipe: a file, or a name that `fovea recipes` lists; by default one for SimCLR that fits the images.",
        completion: .file())
    var recipe: String?

    @Option(name: .customLong("grid"), help: "An axis: key=value,value, such as training.batchSize=64,128. May be repeated.")
    var grid: [String] = []

    @Option(
        help: ArgumentHelp(
            "Two axes of augmentations in pairs (SimCLR, figure 5): names of the recipe's, with commas between them, or all.",
            valueName: "names"))
    var compose: String?

    @Flag(help: "An axis of augmentations: all, and without each of them.")
    var leaveOut = false

    @Option(help: "Labelled images to measure with.", completion: .file())
    var data: String

    @Option(help: "Labelled images to test on, when they are not in --data; of a divided set its test part.", completion: .file())
    var test: String?

    @OptionGroup var limits: LimitOptions

    @Option(help: "What to measure: linear or knn.")
    var `protocol` = "linear"

    @Option(name: .customLong("set"), help: "Any setting of the recipe that all runs share: key.path=value. May be repeated.")
    var changes: [String] = []

    @Option(help: "Runs of each combination, from the recipe's seed on.")
    var seeds = 1

    @Option(help: "Where the runs and the table are kept.", completion: .directory)
    var out: String

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if grid.isEmpty, compose == nil, !leaveOut { throw ValidationError("give a grid: --grid training.epochs=10,20") }
        if seeds < 1 { throw ValidationError("--seeds must be at least 1") }
        guard ["linear", "knn"].contains(`protocol`) else {
            throw ValidationError("--protocol \(`protocol`): a sweep is measured by linear or knn")
        }
    }

    func run() throws {
        Interruption.watch()
        machine.apply()
        let base = try makeRecipe()
        var axes = try grid.map { try Sweep.axis($0) }
        if leaveOut { axes.append(try Sweep.omissions(of: base)) }
        if let compose {
            axes += try Sweep.compositions(compose == "all" ? nil : compose.split(separator: ",").map(String.init), of: base)
        }
        var sweep = try Sweep(axes, folder: out)
        sweep.seeds = seeds
        sweep.options = try machine.trainerOptions()
        sweep.options.observer = TerminalProgress(quiet: true)
        sweep.options.shouldStop = { Interruption.isRequested }
        sweep.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols(`protocol`)
        evaluator.device = sweep.options.device
        evaluator.loaderThreads = machine.loaders
        evaluator.dataName = data
        let unreadable = UnreadableImages()
        evaluator.unreadable = unreadable.add
        let made = evaluator
        // Before the first run, not after it.
        let (train, tested) = try LabelledOptions.open(data, test: test, limits: limits, seed: 0)
        try evaluator.requireClasses(train)
        let ending = try sweep(base, measured: "\(`protocol`) top-1", on: measuredOn) {
            try made.measure($0, train: train, test: tested)[0]
        }
        switch ending {
        case .finished(let table):
            print(table.text)
            for line in ResultNotes.lines(table.rows.map(\.result)) { Terminal.note(line) }
            for run in table.diverged ?? [] { Terminal.note("\(run.run) diverged and has no number: \(run.reason)") }
            try unreadable.tell(in: "\(out)/evaluation")
            print("report: \(try RunReport.write(out))")
        case .interrupted(let table):
            if !table.rows.isEmpty { print(table.text) }
            Terminal.say("saved; the same command goes on")
            throw ExitCode(130)
        }
    }

    /// What the table's numbers are of, besides the runs.
    private var measuredOn: String {
        let given: [(name: String, value: String?)] = [
            ("--data", EncoderNames.place(data)), ("--test", test.map { EncoderNames.place($0) }),
            ("--limit", limits.limit.map { "\($0)" }), ("--test-limit", limits.testLimit.map { "\($0)" }),
        ]
        return given.compactMap { one in one.value.map { "\(one.name) \($0)" } }.joined(separator: " ")
    }

    private func makeRecipe() throws -> Recipe {
        let reader = RecipeFile()
        var chosen: Recipe
        if let recipe {
            chosen = try reader.read(RecipeLibrary.locate(recipe), changes: changes)
        } else {
            let splits = try DatasetSplits.open(images, heldOut: false)
            let text = try RecipeFile.text(DefaultRecipe.make(method: "simclr", for: splits.unlabelled ?? splits.train))
            chosen = try reader.parse(text, source: "the command line", changes: changes)
        }
        chosen.data.path = images
        return chosen
    }
}
