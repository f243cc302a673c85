internal import Files
internal import Foundation

/// Time, kept apart from everything that has to be the same in every run.
struct RunClock {
    struct Epoch {
        let seconds: Double
        let imagesPerSecond: Double
    }

    private let begun = Date()
    /// Of the processes before this one.
    private let earlier: RunTiming
    private var epochStart = Date()
    private var checkpointAt = Date()
    private var firstTick: (time: Date, step: Int)?
    private var lastTick: (time: Date, step: Int)?

    /// - Parameter timing: the `timing.json` of the run that is gone on with; nil where one begins.
    init(after timing: String?) {
        let data = timing.flatMap { FileManager.default.contents(atPath: $0) }
        earlier = data.flatMap { try? JSONDecoder().decode(RunTiming.self, from: $0) } ?? RunTiming()
    }

    mutating func start(step: Int) {
        firstTick = nil
        checkpointAt = Date()
        epochStart = Date()
    }

    mutating func startEpoch() { epochStart = Date() }
    mutating func noteCheckpoint() { checkpointAt = Date() }
    var minutesSinceCheckpoint: Double { Date().timeIntervalSince(checkpointAt) / 60 }

    mutating func tick(step: Int) {
        let now = (Date(), step)
        if firstTick == nil { firstTick = now }
        lastTick = now
    }

    /// Since the first measured step; 0 until there are two.
    var stepsPerSecond: Double {
        guard let firstTick, let lastTick, lastTick.step > firstTick.step else { return 0 }
        return Double(lastTick.step - firstTick.step) / max(lastTick.time.timeIntervalSince(firstTick.time), 1e-9)
    }

    func endEpoch(images: Int) -> Epoch {
        let seconds = Date().timeIntervalSince(epochStart)
        return Epoch(seconds: seconds, imagesPerSecond: Double(images) / max(seconds, 1e-9))
    }

    /// Of the whole run so far, this process and those before it.
    var summary: RunTiming {
        RunTiming(
            seconds: (earlier.seconds ?? 0) + Date().timeIntervalSince(begun),
            peakMemoryMB: max(earlier.peakMemoryMB ?? 0, Double(ProcessMemory.peak >> 20)))
    }

    /// `timing.csv`: a row per epoch, appended; rows of this epoch and later ones, which are trained again, are replaced. Of an
    /// epoch that was interrupted the row has what came after.
    func append(to path: String, epoch: Int, _ timing: Epoch) throws(FileError) {
        let rows = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").dropFirst()
        let kept = rows.filter { row in Int(row.prefix { $0 != "," }).map { $0 < epoch } == true }
        var text = "epoch,seconds,images_per_second,peak_memory_mb\n" + kept.map { "\($0)\n" }.joined()
        text += String(format: "%d,%.2f,%.1f,%d\n", epoch, timing.seconds, timing.imagesPerSecond, ProcessMemory.peak >> 20)
        try AtomicFile.write(text, to: path)
    }
}
