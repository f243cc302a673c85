// How the loader scales: images per second with 1, 2 and 4 threads over a folder of small files, and the memory and the time
// that a list of a thousand to a million files costs. One JSON line each.
//
//     loader-scaling FOLDER [SIDE]
import Arguments
import Foundation
import Views

let arguments = Arguments(usage: "loader-scaling FOLDER [SIDE]", places: 1...2)
let side = arguments.number(at: 1, default: 32, atLeast: 8)
let clock = ContinuousClock()

/// Bytes of memory that are this process's own.
func memory() -> Int {
    let lines = (try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8))?.split(separator: "\n") ?? []
    let line = lines.first { $0.hasPrefix("Private_Dirty:") }
    return 1024 * (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0)
}

func imagesPerSecond(_ images: any ImageDataset, order: [Int], threads: Int) throws -> Double {
    let loader = Loader(dataset: images, maker: try ViewRecipe.simCLR(size: ImageSize(side)), seed: 0, threads: threads)
    let epoch = loader.epoch(0, order: order, batchSize: 128)
    _ = epoch.next()
    var batches = 0
    let elapsed = clock.measure { while epoch.next() != nil { batches += 1 } }
    return Double(128 * batches) / (elapsed / .seconds(1))
}

let images = arguments.orStop { try DatasetSplits.open(arguments.places[0]).train }
let some = Array(Sampler.shuffled(images.count, seed: 0, epoch: 0).prefix(12_800))
for threads in [1, 2, 4] {
    print("{\"loader\": \"threads\", \"threads\": \(threads), \"images_per_second\": \(Int(try imagesPerSecond(images, order: some, threads: threads)))}")
}

/// A tree of links to a few copies of one image: a file system allows only so many links to one.
let root = NSTemporaryDirectory() + "fovea-listing-\(ProcessInfo.processInfo.processIdentifier)"
defer { try? FileManager.default.removeItem(atPath: root) }
try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
var random = ViewRandom(seed: 1)
let pixels = PixelImage(width: 32, height: 32, pixels: (0..<32 * 32 * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
for copy in 0..<40 { try Data(ImageEncoder.png(pixels)).write(to: URL(fileURLWithPath: "\(root)/\(copy).png")) }
for count in [1_000, 10_000, 100_000, 1_000_000] {
    let folder = "\(root)/\(count)"
    for label in 0..<10 {
        try FileManager.default.createDirectory(atPath: "\(folder)/class\(label)", withIntermediateDirectories: true)
        for index in 0..<count / 10 { link("\(root)/\(index % 40).png", "\(folder)/class\(label)/image_\(label)_\(index).png") }
    }
    let before = memory()
    var listed: (any ImageDataset)!
    let listing = try clock.measure { listed = try DatasetSplits.open(folder).train } / .seconds(1)
    let bytes = memory() - before
    let drawn = Array(Sampler.shuffled(count, seed: 0, epoch: 0).prefix(10_240))
    let order = (0..<10_240).map { drawn[$0 % drawn.count] }
    let rate = try imagesPerSecond(listed, order: order, threads: 2)
    print(
        String(
            format: "{\"loader\": \"files\", \"files\": %d, \"seconds_to_list\": %.3f, \"bytes_per_file\": %.0f, \"microseconds_per_image\": %.0f}", count,
            listing, Double(bytes) / Double(count), 1e6 / rate))
    try FileManager.default.removeItem(atPath: folder)
}
