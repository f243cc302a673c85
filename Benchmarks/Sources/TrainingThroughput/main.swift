// Pretraining with SimCLR, BYOL or SwAV (two large views and six small ones), end to end (loader, augmentation, forward, backward,
// step), with the arguments of the peers' scripts: images per second after the first step, the peak of the process's memory, and
// the seconds from --launched (since 1970) until the first batch is read, as one JSON line.
import Foundation
import Fovea

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: "--\(name)"), place + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[place + 1]
}

let batch = option("batch").flatMap { Int($0) } ?? 128
let steps = option("steps").flatMap { Int($0) } ?? 6
let size = option("size").flatMap { Int($0) } ?? 32
let width = option("width").flatMap { Int($0) } ?? 64
let backbone = option("backbone") ?? "resnet18"
let method = option("method") ?? "simclr"
let workers = option("workers").flatMap { Int($0) } ?? 2

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

/// Ends the run after so many steps, and keeps the time from the end of the first one.
final class Stopwatch: TrainingObserver {
    var started: Date?
    var ended: Date?
    var done = 0

    func begins(_ plan: TrainingPlan) {}
    func advances(_ progress: TrainingProgress) {
        if started == nil { started = Date() }
    }
    func endsEpoch(_ summary: EpochSummary) {}
    func says(_ message: String) {}
}

var recipe = Recipe(method: MethodChoice(try MethodRegistry.standard.entry(named: method)))
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
recipe.training.recompute = option("recompute").flatMap(Recomputation.init)
recipe.monitoring.healthImages = 0
recipe.monitoring.logEverySteps = 1
recipe.monitoring.checkpointEveryEpochs = 1_000

let images = Noting(try option("data").map { try DatasetSplits.open($0).train } ?? Noise(count: 2048, side: size <= 64 ? size : 500), batch: batch)
let folder = NSTemporaryDirectory() + "fovea-throughput-\(ProcessInfo.processInfo.processIdentifier)"
defer { try? FileManager.default.removeItem(atPath: folder) }
let watch = Stopwatch()
var asked = 0
var options = Trainer.Options()
options.loaderThreads = workers
options.rehearses = false
options.observer = watch
options.shouldStop = {
    asked += 1
    guard asked > steps else { return false }
    watch.ended = watch.ended ?? Date()
    return true
}
_ = try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: options).run()
let seconds = watch.ended!.timeIntervalSince(watch.started!)
let rate = Double(steps * batch) / seconds
let toFirstStep = option("launched").flatMap { Double($0) }.map { images.hasBatch!.timeIntervalSince1970 - $0 }
print(
    String(
        format: "{\"fovea\": \"%@\", \"images_per_second\": %.2f, \"seconds_to_first_step\": %.2f, \"peak_rss_mb\": %d, \"large_tensors_mb\": %d, \"threads\": %d, \"batch\": %d, \"size\": %d, \"width\": %d}",
        method, rate, toFirstStep ?? -1, ProcessMemory.peak >> 20, Runtime.largeTensorMemory.peak >> 20, Runtime.threads, batch, size, width))
