import ArgumentParser
import Fovea
import Foundation

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure what an encoder is worth on labelled images.",
        discussion: """
            Beside the encoder, a random one of its architecture and raw pixels are measured on the same images. A folder with
            train/ and test/ (or val/) is used so; otherwise kNN leaves one out and the linear probe holds a fifth of the
            images out.
            """)

    @OptionGroup var source: EncoderOptions
    @OptionGroup var images: LabelledOptions
    @OptionGroup var protocols: ProtocolOptions

    @Option(help: "Initialisations of the random encoder that it is compared with.")
    var randomEncoders = 5

    @Option(
        help: "Whose errors those under corruptions are divided by (mCE): random, pixels, or a run's folder or weights file.",
        completion: .file())
    var robustBaseline = "random"

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where results are written; a run's own folder by default.", completion: .directory)
    var out: String?

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if randomEncoders < 0 { throw ValidationError("--random-encoders must not be negative") }
    }

    private func chosenBaseline(on device: Device) throws -> Evaluator.ErrorBaseline {
        switch robustBaseline {
        case "random": return .random
        case "pixels": return .rawPixels
        default:
            let (encoder, name) = try source.weights.load(robustBaseline, on: device)
            return .encoder(.init(encoder, name: "baseline \(name)"))
        }
    }

    func run() throws {
        machine.apply()
        var evaluator = Evaluator()
        try protocols.apply(to: &evaluator, subset: images.subset != nil)
        evaluator.randomEncoders = randomEncoders
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
        let (encoder, name) = try source.load(on: evaluator.device)
        evaluator.errorBaseline = try chosenBaseline(on: evaluator.device)
        if protocols.beginsInHead(evaluator) { evaluator.head = try source.head(of: encoder) }
        let folder = RunFolder(source.source)
        let target = out ?? (folder.holdsRun ? folder.path : nil)
        let outcome = try evaluator(encoder, name: name, train: train, test: test, folder: target.map { "\($0)/evaluation" })

        if let tested = outcome.results.compactMap(\.testImages).min(), tested < 20, !quiet {
            Terminal.note("\(tested) test images are too few for intervals to mean much: give more labelled images")
        }
        print(ResultsPivot(outcome.results).text())
        for difference in outcome.differences where difference.metric == "top-1" { Terminal.paragraph(difference.sentence) }
        if !quiet {
            // Those of the baselines are in the report.
            for line in ResultNotes.lines(outcome.results.filter { $0.encoder == name }) {
                Terminal.note(line)
            }
        }
        try unreadable.tell(in: target.map { "\($0)/evaluation" })
        if let target { print("report: \(try RunReport.write(target))") }
    }
}
