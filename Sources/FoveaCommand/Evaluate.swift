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

    @Argument(help: "A run's folder, or a weights file (.safetensors).", completion: .file())
    var source: String

    @Option(help: "Labelled images: a folder of one folder per class, a CSV list of path,label, or a packed set.", completion: .file())
    var data: String

    @Option(help: "Labelled images to test on, when they are not in --data.", completion: .file())
    var test: String?

    @Option(help: "What to measure: \(EvaluationProtocol.allCases.map(\.rawValue).joined(separator: ",")).")
    var `protocol` = "knn,linear"

    @Option(help: "The backbone of a weights file that does not say it.")
    var backbone: String?

    @Option(help: "Channels of that backbone's first stage.")
    var width = 64

    @Option(help: "The side of the images that the weights file was trained on.")
    var imageSize = 224

    @Option(help: "Initialisations of the random encoder that it is compared with.")
    var randomEncoders = 5

    @Option(help: "A random subset of so many training images.")
    var limit: Int?

    @Option(help: "A random subset of so many test images.")
    var testLimit: Int?

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where results are written; a run's own folder by default.", completion: .directory)
    var out: String?

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if randomEncoders < 0 { throw ValidationError("--random-encoders must not be negative") }
        if let limit, limit < 2 { throw ValidationError("--limit must be at least 2") }
        if let testLimit, testLimit < 1 { throw ValidationError("--test-limit must be at least 1") }
        _ = try protocols()
    }

    func run() throws {
        machine.apply()
        var evaluator = Evaluator()
        evaluator.protocols = try protocols()
        evaluator.randomEncoders = randomEncoders
        evaluator.seed = seed
        evaluator.device = try machine.chosenDevice()
        evaluator.loaderThreads = machine.loaders
        evaluator.progress = { step in
            if !quiet { FileHandle.standardError.write(Data("\(step)\n".utf8)) }
        }
        let splits = try DatasetSplits.open(data)
        var testOptions = DatasetOptions()
        testOptions.classNames = splits.train.classNames.isEmpty ? nil : splits.train.classNames
        let held = try test.map { try DatasetSplits.open($0, options: testOptions).train } ?? splits.test
        let train = limited(splits.train, limit)
        let tested = held.map { limited($0, testLimit) }

        let encoder = try Encoder.load(
            source, backbone: backbone.map { BackboneSettings($0, width: width) }, imageSize: imageSize, on: evaluator.device)
        let folder = RunFolder(source)
        let name = folder.holdsRun ? try RecipeFile().read(folder.recipe).method.name : (source as NSString).lastPathComponent
        let target = out ?? (folder.holdsRun ? folder.path : nil)
        let outcome = try evaluator(encoder, name: name, train: train, test: tested, folder: target.map { "\($0)/evaluation" })

        print(ResultsPivot(outcome.results).text())
        for difference in outcome.differences where difference.metric == "top-1" { print(difference.sentence) }
        if !outcome.unreadable.isEmpty, !quiet {
            FileHandle.standardError.write(
                Data("note: \(outcome.unreadable.count) images could not be read (first: \(outcome.unreadable[0]))\n".utf8))
        }
        if let target { print("report: \(try RunReport.write(target))") }
    }

    private func limited(_ images: any ImageDataset, _ count: Int?) -> any ImageDataset {
        count.map { images.randomSubset(limit: $0, seed: seed) } ?? images
    }

    private func protocols() throws -> [EvaluationProtocol] {
        try `protocol`.split(separator: ",").map { part in
            let name = part.trimmingCharacters(in: .whitespaces)
            if let kind = EvaluationProtocol(rawValue: name) { return kind }
            let all = EvaluationProtocol.allCases.map(\.rawValue)
            let nearest = Spelling.nearest(to: name, among: all).map { "; did you mean '\($0)'?" } ?? ""
            throw ValidationError("--protocol \(name): there is \(all.joined(separator: ", "))\(nearest)")
        }
    }
}
