import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// Images drawn once: what is tested is not how they are drawn.
struct TinyImages: ImageDataset {
    private let images: [PixelImage]
    let classNames: [String]
    private let prefix: String

    init(_ count: Int = 56, side: Int = 16, seed: UInt64 = 5, prefix: String = "") throws {
        let shapes = SyntheticShapes(count: count, side: side, seed: seed)
        images = try (0..<count).map { try shapes.image(at: $0, coveringAtLeast: nil) }
        classNames = shapes.classNames
        self.prefix = prefix
    }

    var count: Int { images.count }
    func label(at index: Int) -> Int? { index % classNames.count }
    func name(at index: Int) -> String { "\(prefix)\(index)" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { images[index] }
}

/// A run of seconds: 3 epochs of 3 batches of 16, and 8 images that no batch takes.
func tinyRecipe(_ method: String, _ methods: MethodRegistry = .standard) throws -> Recipe {
    var recipe = Recipe(method: MethodChoice(try methods.entry(named: method)))
    if method != "simclr" {
        func small<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings {
            try with(tiny(settings), ["teacher": TinyTeacher.path()])
        }
        recipe.method.settings = try small(recipe.method.settings)
    }
    recipe.backbone = BackboneSettings("resnet18", width: 4, stem: .small)
    if try methods.entry(named: method).card.needsPatches {
        recipe.backbone = BackboneSettings("vit_small", width: 8)
        (recipe.backbone.depth, recipe.backbone.patchSize) = (2, 4)
    }
    recipe.data.imageSize = 16
    recipe.training.epochs = 3
    recipe.training.batchSize = 16
    recipe.training.seed = 3
    // Its loss is large beside others', and at their rate ends in no numbers.
    if method == "vicregl" { recipe.training.learningRate /= 30 }
    recipe.training.warmUpEpochs = 1
    recipe.monitoring.logEverySteps = 2
    recipe.monitoring.knnEveryEpochs = 2
    recipe.monitoring.healthImages = 24
    recipe.monitoring.knnImages = 40
    recipe.monitoring.keepEveryEpochs = 2
    return recipe
}

/// What a trainer tells, kept.
final class Notes: TrainingObserver {
    var plan: TrainingPlan?
    var progress: [TrainingProgress] = []
    var epochs: [EpochSummary] = []
    var messages: [String] = []
    var atEpochEnd: (EpochSummary) -> Void = { _ in }

    func begins(_ plan: TrainingPlan) { self.plan = plan }
    func advances(_ progress: TrainingProgress) { self.progress.append(progress) }
    func endsEpoch(_ summary: EpochSummary) {
        epochs.append(summary)
        atEpochEnd(summary)
    }
    func says(_ message: String) { messages.append(message) }
}

/// The options that the tests run with. One thread of libtorch's, because several spin while they wait, unless it is threads
/// that are tested.
func tinyOptions(
    threads: Int = 1, rehearses: Bool = false, loaderThreads: Int = 2, observer: Notes? = nil, shouldStop: @escaping () -> Bool = { false }
) -> Trainer.Options {
    Runtime.threads = threads
    var options = Trainer.Options()
    options.device = .cpu
    options.loaderThreads = loaderThreads
    options.rehearses = rehearses
    options.observer = observer
    options.shouldStop = shouldStop
    return options
}

/// True at every so many questions; the trainer asks after every step and at the end of an epoch.
func stopping(after count: Int) -> () -> Bool {
    var asked = 0
    return {
        asked += 1
        return asked.isMultiple(of: count)
    }
}

/// The files that tell the time, and the only ones that do.
let timingFiles: Set<String> = ["timing.csv", "timing.json"]

/// Runs a recipe to its end in a new folder; its files.
@discardableResult
func wholeRun(
    _ recipe: Recipe, _ images: any ImageDataset, _ folder: String, _ methods: MethodRegistry = .standard,
    options: Trainer.Options = tinyOptions()
) throws -> [String: [UInt8]] {
    let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: methods, options: options)
    #expect(try trainer.run() == .finished)
    return try files(below: folder)
}

/// Goes on with a run until it is done, stopping again after every `steps` steps; how many parts it took.
@discardableResult
func resumeUntilDone(
    _ folder: String, _ images: any ImageDataset, every steps: Int = .max, from checkpoint: String = "last",
    _ methods: MethodRegistry = .standard, threads: Int = 1, rehearses: Bool = false
) throws -> Int {
    for part in 1...1000 {
        let options = tinyOptions(threads: threads, rehearses: rehearses && part.isMultiple(of: 2), shouldStop: stopping(after: steps))
        let trainer = try Trainer(resuming: RunFolder(folder), from: checkpoint, dataset: images, methods: methods, options: options)
        if try trainer.run() == .finished { return part }
    }
    Issue.record("the run does not end")
    return 1000
}

/// The rows of `metrics.csv`, by column.
func metrics(_ folder: String) throws -> [[String: Double]] {
    let rows = try CSV.parse(String(contentsOfFile: "\(folder)/metrics.csv", encoding: .utf8))
    return rows.dropFirst().map { row in
        Dictionary(uniqueKeysWithValues: zip(rows[0], row).compactMap { name, text in Double(text).map { (name, $0) } })
    }
}
