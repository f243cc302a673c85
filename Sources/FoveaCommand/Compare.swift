import ArgumentParser
import Fovea
import Foundation

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare encoders on the same labelled images.",
        discussion: "One table, and for every pair the difference with a paired 95 % interval: over test images, or over draws.")

    @Argument(help: "Runs' folders or weights files, at least two.", completion: .file())
    var sources: [String]

    @OptionGroup var weights: WeightsOptions
    @OptionGroup var images: LabelledOptions
    @OptionGroup var protocols: ProtocolOptions

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where results and report are written.", completion: .directory)
    var out: String?

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if sources.count < 2 { throw ValidationError("name at least two encoders: fovea compare runs/a runs/b --data labelled/") }
        try EncoderNames.requireDifferent(sources)
    }

    func run() throws {
        machine.apply()
        var evaluator = Evaluator()
        try protocols.apply(to: &evaluator, subset: images.subset != nil)
        evaluator.seed = seed
        evaluator.dataName = images.data
        evaluator.device = try machine.chosenDevice()
        evaluator.loaderThreads = machine.loaders
        evaluator.cache = features.chosen
        evaluator.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        let unreadable = UnreadableImages()
        evaluator.unreadable = unreadable.add
        let (train, test) = try images.open(seed: seed)
        let contestants = try zip(sources, EncoderNames.short(sources)).map { source, name in
            let encoder = try weights.load(source, on: evaluator.device).0
            let head = protocols.beginsInHead(evaluator) ? try WeightsOptions.head(source, of: encoder) : nil
            return Evaluator.Contestant(encoder, name: name, head: head)
        }
        let outcome = try evaluator.compare(contestants, train: train, test: test, folder: out.map { "\($0)/evaluation" })
        print(ResultsPivot(outcome.results).text())
        for difference in outcome.differences where difference.metric == "top-1" {
            Terminal.paragraph(difference.sentence)
        }
        if !quiet {
            for line in ResultNotes.lines(outcome.results) { Terminal.note(line) }
        }
        try unreadable.tell(in: out.map { "\($0)/evaluation" })
        if let out { print("report: \(try RunReport.write(out))") }
    }
}
