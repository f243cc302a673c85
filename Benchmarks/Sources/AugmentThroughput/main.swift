// Views per second of the two-view SimCLR recipe from decoded 500 × 375 images, or from the JPEG files of a folder, in one thread.
//
//     swift run -c release --package-path Benchmarks augment-throughput [side] [images] [repeats] [folder]
//
// Prints one line of JSON with the median of the repeats, by the thread's processor time, which other programs on the
// machine disturb least, and by the clock. Views are 8-bit RGB; normalising them belongs to the device.
import Arguments
import Foundation
import Views

let arguments = Arguments(usage: "augment-throughput [side] [images] [repeats] [folder]", places: 0...4)
let side = arguments.number(at: 0, default: 224, atLeast: 8)
let imageCount = arguments.number(at: 1, default: 64)
let repeats = arguments.number(at: 2, default: 9)

/// Random colours on a coarse grid, interpolated: as smooth as photographs are.
func synthetic(_ seed: UInt64) -> PixelImage {
    var random = ViewRandom(seed: seed)
    let coarse = PixelImage(width: 32, height: 25, pixels: (0..<32 * 25 * 3).map { _ in UInt8(random.integer(below: 256)) })
    let canvas = Canvas()
    canvas.load(coarse, target: 1)
    canvas.resize(to: ImageSize(height: 375, width: 500), .bicubic, antialias: true)
    return canvas.image()
}

let files = arguments.orStop {
    try arguments.places.dropFirst(3).first.map { try DatasetSplits.open($0, options: DatasetOptions(limit: imageCount)).train }
}
let images = files != nil ? [] : (0..<imageCount).map { synthetic(UInt64($0)) }
let recipe = try ViewRecipe.simCLR(size: ImageSize(side))
let memory = recipe.outputs.map { UnsafeMutableRawPointer.allocate(byteCount: $0.bytes, alignment: 64) }
let outputs = OutputBuffers(recipe.outputs, at: memory, position: 0)
var scratch = Scratch()
if let first = images.first { recipe.make(first, key: SampleKey(seed: 0, epoch: 0, index: 0), partners: NoPartners(), into: outputs, scratch: &scratch) }

/// Seconds of processor time of this thread.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

var byProcessor: [Double] = []
var byClock: [Double] = []
let clock = ContinuousClock()
for epoch in 0..<repeats {
    let count = files?.count ?? images.count
    let views = Double(2 * count)
    let start = processorTime()
    let elapsed = try clock.measure {
        for index in 0..<count {
            let image = try files?.image(at: index, coveringAtLeast: (recipe as any ViewMaker).decodeTarget) ?? images[index]
            recipe.make(image, key: SampleKey(seed: 0, epoch: epoch, index: index), partners: NoPartners(), into: outputs, scratch: &scratch)
        }
    }
    byProcessor.append(views / (processorTime() - start))
    byClock.append(views / (elapsed / .seconds(1)))
}

func median(_ values: [Double]) -> Int { Int(values.sorted()[values.count / 2].rounded()) }
print("{\"fovea\": \"\(files == nil ? "views" : "files to views"), one thread\", \"size\": \(side), \"images\": \(files?.count ?? imageCount), \"views_per_processor_second\": \(median(byProcessor)), \"views_per_second\": \(median(byClock))}")
