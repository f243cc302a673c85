import ArgumentParser
import Fovea
import Foundation

struct Quality: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a run's checkpoints without labels.",
        discussion: """
            RankMe, α-ReQ, LiDAR, alignment, uniformity and self-consistency of every checkpoint that the run kept (--keep-every), on the
            images that it was trained on. With --data, labelled images, also the accuracy of a linear classifier, and how far each
            measure goes with it.
            """)

    @Argument(help: "A run's folder.", completion: .directory)
    var source: String

    @Option(help: "Images without labels; those that the run was trained on by default.", completion: .file())
    var images: String?

    @Option(help: "Labelled images, for the rank correlation with linear accuracy.", completion: .file())
    var data: String?

    @Option(help: "Labelled images to test on, when they are not in --data; of a divided set its test part.", completion: .file())
    var test: String?

    @OptionGroup var limits: LimitOptions

    @Option(help: "Images that are measured, evenly from all.")
    var sample = 1000

    @Option(help: "Views of each image.")
    var views = 10

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but the table.")
    var quiet = false

    func validate() throws {
        if sample < 2 { throw ValidationError("--sample must be at least 2") }
        if views < 2 { throw ValidationError("--views must be at least 2") }
    }

    func run() throws {
        machine.apply()
        let folder = try CheckpointChoice.folder(source)
        var quality = LabelFreeQuality()
        quality.images = sample
        quality.views = views
        quality.seed = seed
        quality.device = try machine.chosenDevice()
        quality.loaderThreads = machine.loaders
        quality.progress = { step in
            if !quiet { Terminal.say(step) }
        }
        let unreadable = UnreadableImages()
        quality.unreadable = unreadable.add
        let unlabelled = try CheckpointChoice.images(images, of: folder)
        var accuracy: ((Encoder) throws -> EvaluationResult)?
        if let data {
            let (train, test) = try LabelledOptions.open(data, test: test, limits: limits, seed: seed)
            var evaluator = Evaluator()
            evaluator.protocols = [LinearProtocol()]
            evaluator.seed = seed
            evaluator.device = quality.device
            evaluator.loaderThreads = machine.loaders
            evaluator.cache = features.chosen
            evaluator.unreadable = unreadable.add
            let made = evaluator
            accuracy = { try made.measure($0, train: train, test: test)[0] }
        }
        let table = try quality.checkpoints(of: folder, on: unlabelled, accuracy: accuracy)
        print(table.text)
        try LabelFreeQuality.write(table, to: folder.evaluation)
        try unreadable.tell(in: folder.evaluation)
        print("report: \(try RunReport.write(folder.path))")
    }
}

/// A checkpoint chosen without labels.
enum CheckpointChoice {
    static func folder(_ path: String) throws -> RunFolder {
        let folder = RunFolder(path)
        guard folder.holdsRun else { throw ValidationError("\(path) holds no run: give the folder that `fovea pretrain --out` made") }
        return folder
    }

    /// The run's own images, unless others are given.
    static func images(_ path: String?, of folder: RunFolder) throws -> any ImageDataset {
        var recipe = try RecipeFile().read(folder.recipe)
        if let path { recipe.data.path = path }
        guard recipe.data.path != nil else {
            throw ValidationError("\(folder.recipe) does not say where the run's images are: give them by --images")
        }
        let entry = try MethodRegistry.standard.entry(named: recipe.method.name)
        do { return try recipe.data.open(entry, options: .telling) } catch let error as DatasetError where path == nil {
            throw ValidationError("\(error); that is where \(folder.recipe) has the run's images: if they moved, give them by --images")
        }
    }

    /// The encoder of the checkpoint that the measure prefers.
    static func encoder(_ path: String, by measure: String, images: String?, on device: Device, loaders: Int) throws -> (Encoder, String) {
        guard let measure = QualityMeasure(rawValue: measure) else {
            throw ValidationError("--select \(measure): choose one of \(QualityMeasure.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let folder = try folder(path)
        var quality = LabelFreeQuality()
        quality.measures = [measure]
        quality.device = device
        quality.loaderThreads = loaders
        let table = try quality.checkpoints(of: folder, on: Self.images(images, of: folder))
        guard let chosen = table.choices[measure.rawValue] else {
            throw ValidationError("--select \(measure.rawValue): it cannot be computed of these checkpoints; choose another measure")
        }
        let encoder = try folder.encoderOfCheckpoint(chosen)
        encoder.move(to: device)
        Terminal.say("\(chosen) of \(table.rows.count) checkpoints has the best \(measure.rawValue)")
        return (encoder, chosen)
    }
}
