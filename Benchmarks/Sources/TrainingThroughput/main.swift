// Pretraining with SimCLR, BYOL or SwAV (two large views and six small ones), end to end (loader, augmentation, forward, backward,
// step), with the arguments of the peers' scripts: images per second after the first step, the peak of the process's memory, and
// the seconds from --launched (since 1970) until the first batch is read, as one JSON line.
import Arguments
import Foundation
import Fovea

let arguments = Arguments(
    usage: "training-throughput [--method simclr|byol|swav] [--backbone resnet18] [--width 64] [--batch 128] [--size 32] [--steps 6] "
        + "[--data DIR] [--workers 2] [--recompute none|large|all] [--launched SECONDS]",
    names: ["method", "backbone", "width", "batch", "size", "steps", "data", "workers", "recompute", "launched"])
let batch = arguments.number("batch", default: 128, atLeast: 2)
let steps = arguments.number("steps", default: 6)
let size = arguments.number("size", default: 32, atLeast: 8)
let width = arguments.number("width", default: 64)
let backbone = arguments.text("backbone") ?? "resnet18"
let method = arguments.choice("method", of: ["simclr", "byol", "swav"])
let workers = arguments.number("workers", default: 2)
let recomputation = arguments.choice("recompute", default: Recomputation.large)

/// Random pixels, as the peer has them, when no folder is given.
struct Noise: ImageDataset {
    let count: Int
    let side: Int
    var classNames: [String] { [] }
    func label(at index: Int) -> Int? { nil }
    func name(at index: Int) -> String { "\(index)" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        var random = ViewRandom(seed: UInt64(index))
        return PixelImage(width: side, height: side, pixels: (0..<side * side * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
}

/// Notes when the images of the first batch have been read: what follows is its last view, and the first step.
final class Noting: ImageDataset, @unchecked Sendable {
    let images: any ImageDataset
    private let lock = NSLock()
    private var left: Int
    private(set) var hasBatch: Date?

    init(_ images: any ImageDataset, batch: Int) {
        self.images = images
        left = batch
    }

    var count: Int { images.count }
    var classNames: [String] { images.classNames }
    func label(at index: Int) -> Int? { images.label(at: index) }
    func name(at index: Int) -> String { images.name(at: index) }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        let image = try images.image(at: index, coveringAtLeast: target)
        lock.withLock {
            left -= 1
            if left == 0 { hasBatch = Date() }
        }
        return image
    }
}

/// Keeps the times of the end of the first step and of so many more.
final class Stopwatch: TrainingObserver {
    var started: Date?
    var ended: Date?
    private var done = 0

    func begins(_ plan: TrainingPlan) {}
    func advances(_ progress: TrainingProgress) {
        started = started ?? Date()
        if done == steps { ended = Date() }
        done += 1
    }
    func endsEpoch(_ summary: EpochSummary) {}
    func says(_ message: String) {}
}

var recipe = arguments.orStop { Recipe(method: MethodChoice(try MethodRegistry.standard.entry(named: method))) }
// lightly's examples have these.
if var settings = recipe.method.settings as? BYOL.Settings {
    (settings.hiddenWidth, settings.outputWidth) = (1024, 256)
    recipe.method.settings = settings
}
recipe.backbone = BackboneSettings(backbone, width: width)
recipe.data.imageSize = size
recipe.training.batchSize = batch
recipe.training.epochs = 1_000
recipe.training.decaysVectors = true
recipe.training.recompute = recomputation
recipe.monitoring.healthImages = 0
recipe.monitoring.logEverySteps = 1
recipe.monitoring.checkpointEveryEpochs = 1_000

// As the peer has it: one epoch, whatever the number of steps.
let noise = Noise(count: max(2048, (steps + 2) * batch), side: size <= 64 ? size : 500)
let images = Noting(arguments.orStop { try arguments.text("data").map { try DatasetSplits.open($0).train } ?? noise }, batch: batch)
if images.count < batch { arguments.stop("\(images.count) images are less than a batch") }
let folder = NSTemporaryDirectory() + "fovea-throughput-\(ProcessInfo.processInfo.processIdentifier)"
defer { try? FileManager.default.removeItem(atPath: folder) }
let watch = Stopwatch()
var options = Trainer.Options()
options.loaderThreads = workers
options.rehearses = false
options.observer = watch
options.shouldStop = { watch.ended != nil }
arguments.orStop { _ = try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: options).run() }
let seconds = watch.ended!.timeIntervalSince(watch.started!)
let rate = Double(steps * batch) / seconds
let toFirstStep = arguments.text("launched").flatMap { Double($0) }.map { images.hasBatch!.timeIntervalSince1970 - $0 }
print(
    String(
        format: "{\"fovea\": \"%@\", \"images_per_second\": %.2f, \"seconds_to_first_step\": %.2f, \"peak_rss_mb\": %d, \"large_tensors_mb\": %d, \"threads\": %d, \"batch\": %d, \"size\": %d, \"width\": %d, \"recompute\": \"%@\"}",
        method, rate, toFirstStep ?? -1, ProcessMemory.peak >> 20, Runtime.largeTensorMemory.peak >> 20, Runtime.threads, batch, size, width,
        recomputation.rawValue))
