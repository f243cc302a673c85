import ArgumentParser
import Fovea
import Foundation

struct Labels: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how many labels an encoder saves.",
        discussion: """
            Accuracy against the number of labels: a linear classifier on the encoder and on a random one, the encoder fine-tuned,
            and the same network trained from scratch with the same labels. Writes evaluation/labels.json and labels.csv, and the
            curve into report.html.
            """)

    @OptionGroup var source: EncoderOptions
    @OptionGroup var images: LabelledOptions

    @Option(help: "Labels per class, with commas between them; all of them are added.")
    var perClass = "1,2,5,10,20,50,100,200,500,1000"

    @Option(
        help:
            "Which images to label, with commas between them: \(LabelChooser.allCases.map(\.rawValue).joined(separator: ", ")). Each adds a curve."
    )
    var choose: String?

    @Option(help: "Draws of the labelled images.")
    var draws = 5

    @Option(help: "Draws for fine-tuning and training from scratch, which take long; 0 leaves both out.")
    var networkDraws = 1

    @Option(help: "Of fine-tuning and training from scratch: \(FineTuneRecipe.allCases.map(\.rawValue).joined(separator: ", ")).")
    var recipe = "small"

    @Option(help: "Least steps of fine-tuning and training from scratch, instead of the recipe's.")
    var steps: Int?

    @Option(help: "Epochs of fine-tuning and training from scratch, instead of the recipe's.")
    var epochs: Int?

    @Option(help: "What training from scratch chooses among: tuned (more rates, weight decay, longer), or same as fine-tuning.")
    var baseline = FineTuneProtocol.Baseline.tuned.rawValue

    @Option(help: "What labelling an image takes, for the hours saved.")
    var secondsPerLabel = 10.0

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where results are written; a run's own folder by default.", completion: .directory)
    var out: String?

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if draws < 1 { throw ValidationError("--draws must be at least 1") }
        if networkDraws < 0 { throw ValidationError("--network-draws must not be negative") }
        _ = try FineTuneRecipe(option: recipe)
        if (steps ?? 1) < 1 || (epochs ?? 1) < 1 { throw ValidationError("--steps and --epochs must be at least 1") }
        if !(secondsPerLabel > 0 && secondsPerLabel.isFinite) {
            throw ValidationError("--seconds-per-label must be a finite number above 0")
        }
        _ = try counts()
        _ = try choosers()
        _ = try chosenBaseline()
    }

    func run() throws {
        machine.apply()
        var efficiency = LabelEfficiency()
        efficiency.labelsPerClass = try counts()
        efficiency.draws = draws
        efficiency.choosers = try choosers()
        efficiency.networkDraws = networkDraws
        efficiency.tuning.recipe = try FineTuneRecipe(option: recipe)
        efficiency.tuning.leastSteps = steps
        efficiency.tuning.epochs = epochs
        efficiency.tuning.baseline = try chosenBaseline()
        efficiency.secondsPerLabel = secondsPerLabel
        efficiency.dataName = images.data
        efficiency.seed = seed
        efficiency.device = try machine.chosenDevice()
        efficiency.loaderThreads = machine.loaders
        efficiency.cache = features.chosen
        efficiency.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        let unreadable = UnreadableImages()
        efficiency.unreadable = unreadable.add
        let (train, test) = try images.open(seed: seed)
        guard let test else {
            throw ValidationError("--data \(images.data) has no test split: put images into train/ and test/, or give --test")
        }
        let (encoder, name) = try source.load(on: efficiency.device)
        if efficiency.tuning.recipe == .simclrv2, networkDraws > 0 { efficiency.head = try source.head(of: encoder) }
        let folder = RunFolder(source.source)
        let target = out ?? (folder.holdsRun ? folder.path : nil)
        let found = try efficiency(encoder, name: name, train: train, test: test, folder: target.map { "\($0)/evaluation" })
        print(found.text)
        try unreadable.tell(in: target.map { "\($0)/evaluation" })
        if let target { print("report: \(try RunReport.write(target))") }
    }

    private func choosers() throws -> [LabelChooser] {
        try (choose ?? "").split(separator: ",").map { part in
            let name = part.trimmingCharacters(in: .whitespaces)
            guard let found = LabelChooser(rawValue: name) else {
                throw ValidationError("--choose \(name): there is \(LabelChooser.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return found
        }
    }

    private func chosenBaseline() throws -> FineTuneProtocol.Baseline {
        guard let found = FineTuneProtocol.Baseline(rawValue: baseline) else {
            let names = FineTuneProtocol.Baseline.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--baseline \(baseline): there is \(names)")
        }
        return found
    }

    private func counts() throws -> [Int] {
        let parts = perClass.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
        guard !parts.isEmpty, parts.allSatisfy({ $0 >= 1 }) else {
            throw ValidationError("--per-class \(perClass): give whole numbers above 0 with commas between them, such as 1,5,20")
        }
        return parts
    }
}
