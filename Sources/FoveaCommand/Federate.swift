import ArgumentParser
import Fovea
import Foundation

struct Federate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pretrain over simulated sites that keep their images: FedAvg around any method.",
        discussion: """
            Each class of the images is divided among the sites by shares from a Dirichlet distribution. In every round each site trains
            on its own images from the sites' average. The table sets the result beside training on all images at one place, and at each
            site alone, for as many epochs; the same command goes on with what was broken off.
              fovea federate photos/ --recipe simclr/small --sites 4 --alpha 0.3 --rounds 8 --data labelled/ --out runs/sites
            """)

    @Argument(help: "Images to train on: a folder, a CSV list, or a packed set.", completion: .file())
    var images: String

    @Option(help: "A recipe: a file, or a name that `fovea recipes` lists. Its epochs are those of --rounds.", completion: .file())
    var recipe: String

    @Option(help: "Simulated sites.")
    var sites = 4

    @Option(help: "How alike the sites' classes are: about 0.1 for few classes at each site, 100 for the same mixture.")
    var alpha = 0.5

    @Option(help: "How often the sites' weights are averaged.")
    var rounds = 10

    @Option(help: "Epochs that a site trains in a round.")
    var localEpochs = 1

    @Option(help: "Seed of the division among sites.")
    var splitSeed: UInt64 = 0

    @Option(name: .customLong("set"), help: "Any setting of the recipe: key.path=value. May be repeated.")
    var changes: [String] = []

    @Option(help: "Labelled images to measure with; without them nothing is measured.", completion: .file())
    var data: String?

    @Option(help: "Labelled images to test on, when they are not in --data; of a divided set its test part.", completion: .file())
    var test: String?

    @OptionGroup var limits: LimitOptions

    @Option(help: "What to measure: linear or knn.")
    var `protocol` = "knn"

    @Flag(help: "Only the federation, without training at one place and at each site alone.")
    var alone = false

    @Option(help: "Where everything is kept.", completion: .directory)
    var out: String

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        guard ["linear", "knn"].contains(`protocol`) else {
            throw ValidationError("--protocol \(`protocol`): federations are measured by linear or knn")
        }
    }

    func run() throws {
        Interruption.watch()
        machine.apply()
        var settings = Federation.Settings()
        (settings.sites, settings.alpha, settings.rounds) = (sites, alpha, rounds)
        (settings.localEpochs, settings.splitSeed) = (localEpochs, splitSeed)
        var federation = try Federation(settings, folder: out)
        federation.options = try machine.trainerOptions()
        federation.options.observer = TerminalProgress(quiet: true)
        federation.options.shouldStop = { Interruption.isRequested }
        federation.progress = { note($0) }

        var base = try RecipeFile().read(RecipeLibrary.locate(recipe), changes: changes)
        base.data.path = images
        let dataset = try base.data.open(MethodRegistry.standard.entry(named: base.method.name), options: .telling)
        // Before the first round, not after it.
        var measured: (evaluator: Evaluator, train: any ImageDataset, test: (any ImageDataset)?)?
        if let data {
            var evaluator = Evaluator()
            evaluator.protocols = try ProtocolRegistry.protocols(`protocol`)
            evaluator.device = federation.options.device
            evaluator.loaderThreads = machine.loaders
            evaluator.dataName = data
            let (train, tested) = try LabelledOptions.open(data, test: test, limits: limits, seed: 0)
            try evaluator.requireClasses(train)
            measured = (evaluator, train, tested)
        }
        guard case .finished(let state) = try federation.run(base, dataset: dataset) else { try stopped() }

        var table = TextTable(["training", "images", "epochs", "MB exchanged", "\(`protocol`) top-1", "95 % interval"])
        var lines = [["training", "images", "epochs", "bytes_exchanged", "value", "lower", "upper"]]
        func add(_ name: String, _ folder: String, images: Int, bytes: Int) throws {
            let result = try measured.map { try $0.evaluator.measure(Encoder.load(folder), train: $0.train, test: $0.test)[0] }
            func percent(_ value: Double?) -> String { value.map { String(format: "%.1f", 100 * $0) } ?? "" }
            let interval = result?.lower.map { "\(percent($0)) – \(percent(result?.upper))" } ?? ""
            let epochs = rounds * localEpochs
            table.append([
                name, "\(images)", "\(epochs)", bytes > 0 ? String(format: "%.1f", Double(bytes) / 1e6) : "", percent(result?.value),
                interval,
            ])
            lines.append(
                [name, "\(images)", "\(epochs)", "\(bytes)"]
                    + [result?.value, result?.lower, result?.upper].map { $0.map { "\($0)" } ?? "" })
        }
        try add("\(sites) sites, averaged", out, images: dataset.count, bytes: state.bytesExchanged)
        if !alone {
            let whole = federation.siteRecipe(base)
            try train(whole, dataset, "\(out)/pooled", federation.options, "all images at one place")
            try add("all images at one place", "\(out)/pooled", images: dataset.count, bytes: 0)
            for (index, part) in try federation.sites(of: dataset, base).enumerated() {
                try train(whole, part, "\(out)/alone/\(index + 1)", federation.options, "site \(index + 1) alone")
                try add("site \(index + 1) alone", "\(out)/alone/\(index + 1)", images: part.count, bytes: 0)
            }
        }
        print(table.forOutput())
        try AtomicFile.write(CSV.write(lines, lineEnding: "\n"), to: "\(out)/evaluation/federation.csv")
        note("the encoder is \(out)/encoder.safetensors, the table \(out)/evaluation/federation.csv")
    }

    private func train(_ recipe: Recipe, _ images: any ImageDataset, _ folder: String, _ options: Trainer.Options, _ name: String) throws {
        let run = RunFolder(folder)
        if FileManager.default.fileExists(atPath: run.encoder) { return }
        note("\(name): \(images.count) images")
        var options = options
        options.rehearses = false
        let trainer =
            try run.holdsRun
            ? Trainer(resuming: run, dataset: images, options: options)
            : Trainer(recipe, dataset: images, folder: run, options: options)
        guard try trainer.run() == .finished else { try stopped() }
    }

    private func stopped() throws -> Never {
        Terminal.say("saved; the same command goes on")
        throw ExitCode(130)
    }

    private func note(_ line: String) {
        if !quiet { Terminal.say(line) }
    }
}
