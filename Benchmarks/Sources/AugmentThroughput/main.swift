// Views per second of the two-view SimCLR recipe from decoded 500 × 375 images, in one thread.
//
//     swift run -c release --package-path Benchmarks augment-throughput [side] [images] [repeats]
//
// Prints one line of JSON with the median of the repeats, by the thread's processor time, which other programs on the
// machine disturb least, and by the clock. Views are 8-bit RGB; normalising them belongs to the device.
import Foundation
import Views

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let side = numbers.first ?? 224
let imageCount = numbers.dropFirst().first ?? 64
let repeats = numbers.dropFirst(2).first ?? 9

/// Random colours on a coarse grid, interpolated: as smooth as photographs are.
func synthetic(_ seed: UInt64) -> PixelImage {
    var random = ViewRandom(seed: seed)
    let coarse = PixelImage(width: 32, height: 25, pixels: (0..<32 * 25 * 3).map { _ in UInt8(random.integer(below: 256)) })
    let canvas = Canvas()
    canvas.load(coarse, target: 1)
    canvas.resize(to: ImageSize(height: 375, width: 500), .bicubic, antialias: true)
    return canvas.image()
}

let images = (0..<imageCount).map { synthetic(UInt64($0)) }
let recipe = try ViewRecipe.simCLR(size: ImageSize(side))
let memory = recipe.outputs.map { UnsafeMutableRawPointer.allocate(byteCount: $0.bytes, alignment: 64) }
let outputs = OutputBuffers(recipe.outputs, at: memory, position: 0)
var scratch = Scratch()
recipe.make(images[0], key: SampleKey(seed: 0, epoch: 0, index: 0), partners: NoPartners(), into: outputs, scratch: &scratch)

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
    let views = Double(2 * images.count)
    let start = processorTime()
    let elapsed = clock.measure {
        for (index, image) in images.enumerated() {
            recipe.make(image, key: SampleKey(seed: 0, epoch: epoch, index: index), partners: NoPartners(), into: outputs, scratch: &scratch)
        }
    }
    byProcessor.append(views / (processorTime() - start))
    byClock.append(views / (elapsed / .seconds(1)))
}

func median(_ values: [Double]) -> Int { Int(values.sorted()[values.count / 2].rounded()) }
print("{\"benchmark\": \"augment, one thread\", \"size\": \(side), \"images\": \(imageCount), \"views_per_processor_second\": \(median(byProcessor)), \"views_per_second\": \(median(byClock))}")
