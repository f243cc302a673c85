import ArgumentParser
import Fovea
import Foundation

struct Distill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune an encoder on few labels, and let it teach a student on all images.",
        discussion: """
            SimCLRv2's last two steps. The student has the same network and begins with the encoder's weights, or is another, smaller
            one with new weights (--student, --student-width). --out becomes the student's run, with the teacher's in teacher/.
            """)

    @OptionGroup var source: EncoderOptions
    @OptionGroup var images: LabelledOptions

    @Option(help: "Share of the labels to use, class-balanced; the other images are learned from without theirs.")
    var share: Double?

    @Option(help: "More images without labels for the student.", completion: .file())
    var unlabelled: String?

    @Option(help: "How the teacher is fine-tuned: \(FineTuneRecipe.allCases.map(\.rawValue).joined(separator: ", ")).")
    var recipe = "small"

    @Option(help: "The student's backbone; by default the encoder itself with its pretrained weights.")
    var student: String?

    @Option(help: "Channels of that backbone's first stage.")
    var studentWidth = 64

    @Option(help: "Temperature of teacher and student; 0.1 for the teacher's network, 1 for another.")
    var temperature: Double?

    @Option(help: "Weight of the labels' own loss beside the teacher's, 0 to 1.")
    var labelWeight = 0.0

    @Option(help: "Epochs of the student's training.")
    var epochs = 30

    @Option(help: "The student's learning rate for batches of 256, times the temperature.")
    var learningRate = 0.1

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where the student's run is written.", completion: .directory)
    var out: String

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if !((temperature ?? 1) > 0) { throw ValidationError("--temperature must be above 0") }
        if !(0...1).contains(labelWeight) { throw ValidationError("--label-weight must lie between 0 and 1") }
        if let share, !(share > 0 && share <= 1) { throw ValidationError("--share must be above 0 and at most 1") }
        if epochs < 1 { throw ValidationError("--epochs must be at least 1") }
        if student == nil, studentWidth != 64 { throw ValidationError("--student-width is of another backbone: give --student as well") }
        if !(learningRate > 0 && learningRate.isFinite) { throw ValidationError("--learning-rate must be above 0") }
        _ = try FineTuneRecipe(option: recipe)
    }

    func run() throws {
        machine.apply()
        var training = SelfTraining()
        training.tuning.recipe = try FineTuneRecipe(option: recipe)
        training.share = share ?? 0.1
        training.student = student.map { BackboneSettings($0, width: studentWidth) }
        training.temperature = temperature
        training.labelWeight = labelWeight
        training.epochs = epochs
        training.learningRate = learningRate
        training.seed = seed
        training.device = try machine.chosenDevice()
        training.loaderThreads = machine.loaders
        training.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        training.observer = TerminalProgress(quiet: quiet)
        var (train, test) = try images.open(seed: seed)
        guard let test else {
            throw ValidationError("--data \(images.data) has no test split: put images into train/ and test/, or give --test")
        }
        // A subset names the labels to use; the others are learned from without theirs.
        if images.subset != nil {
            if share != nil { throw ValidationError("--subset says which labels to use, and so does --share: leave one out") }
            training.share = 1
            var all = images
            all.subset = nil
            let whole = try all.open(seed: seed).train
            let named = Set((0..<train.count).map { train.name(at: $0) })
            train = PartlyLabelledDataset(whole, labelled: Set((0..<whole.count).filter { named.contains(whole.name(at: $0)) }))
        }
        let more = try unlabelled.map { path in
            let splits = try DatasetSplits.open(path, options: .telling, heldOut: false)
            return splits.unlabelled ?? splits.train
        }
        let (encoder, _) = try source.load(on: training.device)
        if training.tuning.recipe == .simclrv2 { training.head = try source.head(of: encoder) }
        let outcome = try training(encoder, train: train, unlabelled: more, test: test, folder: out)
        print(ResultsPivot(outcome.results).text())
        for difference in outcome.differences { Terminal.paragraph(difference.sentence) }
        if !quiet {
            for line in ResultNotes.lines(outcome.results) { Terminal.note(line) }
        }
        print("report: \(try RunReport.write(out))")
    }
}

extension FineTuneRecipe {
    /// - Throws: for an option that names none.
    init(option: String) throws {
        guard let found = FineTuneRecipe(rawValue: option) else {
            throw ValidationError("--recipe \(option): there is \(FineTuneRecipe.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = found
    }
}
