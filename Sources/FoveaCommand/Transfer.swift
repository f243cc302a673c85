import ArgumentParser
import Fovea
import Foundation

struct Transfer: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure encoders on several labelled data sets, as one table.",
        discussion: """
            Linear evaluation and fine-tuning with all labels, beside the same from random weights: SimCLR's table 8. Each data set is a
            folder, a CSV list, or CIFAR, STL-10 or IDX files; one without a test split is tested on a fifth of each class.
            """)

    @Argument(help: "Runs' folders or weights files.", completion: .file())
    var sources: [String]

    @Option(
        name: .customLong("data"), parsing: .upToNextOption,
        help: "Labelled data sets, with spaces between them: a path, or NAME=path.")
    var sets: [String]

    @Option(
        parsing: .upToNextOption,
        help: "Data sets, by name, that are measured by the mean over classes; by default those called aircraft, pets, caltech or flowers.")
    var meanPerClass: [String] = []

    @OptionGroup var weights: WeightsOptions

    @OptionGroup var limits: LimitOptions

    @Option(name: .customLong("set"), help: "A setting: transfer.epochs=20, transfer.finetunes=false. May be repeated.")
    var changes: [String] = []

    @Option(help: "Repetitions of what is left to chance, from --seed on.")
    var seeds = 1

    @Option(help: "Initialisations that random init is a mean over.")
    var randomEncoders = 1

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "Where table and report are written.", completion: .directory)
    var out: String?

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if sources.isEmpty { throw ValidationError("name an encoder: fovea transfer runs/a --data pets/ cars/") }
        try EncoderNames.requireDifferent(sources)
        if sets.isEmpty { throw ValidationError("name labelled data sets: --data pets/ cars/") }
        if seeds < 1 { throw ValidationError("--seeds must be at least 1") }
        if randomEncoders < 0 { throw ValidationError("--random-encoders must not be negative") }
        let names = named.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ValidationError("two data sets are called '\(twice)': write NAME=path")
        }
        if let unknown = meanPerClass.first(where: { !names.contains($0) }) {
            throw ValidationError("--mean-per-class \(unknown): no data set is called so; there is \(names.joined(separator: ", "))")
        }
        _ = try settings()
    }

    func run() throws {
        machine.apply()
        var evaluator = Evaluator()
        evaluator.seeds = seeds
        evaluator.randomEncoders = randomEncoders
        evaluator.seed = seed
        evaluator.device = try machine.chosenDevice()
        evaluator.loaderThreads = machine.loaders
        evaluator.cache = features.chosen
        evaluator.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        let unreadable = UnreadableImages()
        evaluator.unreadable = unreadable.add
        // All of them, before an hour is spent on the first.
        let opened = try named.map { name, path in
            let (train, test) = try LabelledOptions.open(path, limits: limits, seed: seed)
            return Evaluator.TransferSet(name, train: train, test: test, metric: meanPerClass.contains(name) ? .meanPerClass : nil)
        }
        let contestants = try zip(sources, EncoderNames.short(sources)).map { source, name in
            Evaluator.Contestant(try weights.load(source, on: evaluator.device).0, name: name)
        }
        let outcome = try evaluator.transfer(contestants, to: opened, settings: settings(), folder: out.map { "\($0)/evaluation" })
        print(outcome.table.text())
        for difference in outcome.differences where !quiet { Terminal.paragraph(difference.sentence) }
        try unreadable.tell(in: out.map { "\($0)/evaluation" })
        if let out { print("report: \(try RunReport.write(out))") }
    }

    private var named: [(name: String, path: String)] {
        sets.map { text in
            if let equals = text.firstIndex(of: "="), equals != text.startIndex, !text[..<equals].contains("/") {
                return (String(text[..<equals]), String(text[text.index(after: equals)...]))
            }
            return (((text as NSString).standardizingPath as NSString).lastPathComponent, text)
        }
    }

    private func settings() throws -> TransferProtocol {
        do {
            return try ProtocolRegistry.protocols("transfer", changes: changes)[0] as! TransferProtocol
        } catch { throw ValidationError(error.description) }
    }
}

/// What encoders are called when there are several.
enum EncoderNames {
    /// The last parts of the paths, or the whole paths where those are equal.
    static func short(_ sources: [String]) -> [String] {
        let short = sources.map { (normal($0) as NSString).lastPathComponent }
        return Set(short).count == short.count ? short : sources.map(normal)
    }

    /// - Throws: for paths that lead to one place, however they are written.
    static func requireDifferent(_ sources: [String]) throws {
        var known: [String: String] = [:]
        for source in sources {
            if let before = known.updateValue(source, forKey: place(source)) {
                throw ValidationError("an encoder is named twice, as \(before) and as \(source): leave one out")
            }
        }
    }

    /// Where a path leads, without links; of what is not there, the path.
    static func place(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return normal(path) }
        defer { free(found) }
        return String(cString: found)
    }

    static func normal(_ path: String) -> String { (path as NSString).standardizingPath }
}
