import ArgumentParser
import Fovea

struct Clips: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make clips of moving shapes, to try the methods that learn from video.",
        discussion: """
            Writes <out>/train and <out>/test, in them a folder for each of eight shapes, in these a folder of numbered PNG frames for \
            each clip: what such methods take, and what `fovea evaluate` takes for images.
            """)

    @Option(help: "The folder; must not be there yet.", completion: .directory)
    var out: String

    @Option(help: "Clips to train on.")
    var count = 400

    @Option(help: "Clips to test on.")
    var testCount = 80

    @Option(help: "Frames of each.")
    var frames = 32

    @Option(help: "The side of the frames in pixels.")
    var side = 32

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    func validate() throws {
        for (name, value, range) in [
            ("--count", count, 1...1_000_000), ("--test-count", testCount, 0...1_000_000), ("--frames", frames, 2...10_000),
            ("--side", side, 8...1024),
        ] where !range.contains(value) {
            throw ValidationError("\(name) \(value): give a number between \(range.lowerBound) and \(range.upperBound)")
        }
        if out.isEmpty { throw ValidationError("--out is empty: give a folder") }
    }

    func run() throws {
        try SyntheticClips.write(to: out, train: count, test: testCount, frames: frames, side: side, seed: seed)
        print("\(count) clips to train on and \(testCount) to test on, of \(frames) frames each, are in \(out)")
        print("next: fovea pretrain \(out) --recipe frame_order/small")
    }
}
