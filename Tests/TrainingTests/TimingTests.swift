import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// The time that a run took, however often it was interrupted.
@Suite struct TimingTests {
    private func timing(_ folder: String) throws -> RunTiming {
        try JSONDecoder().decode(RunTiming.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/timing.json")))
    }

    private func rows(_ folder: String) throws -> [[String]] {
        try CSV.parse(String(contentsOfFile: "\(folder)/timing.csv", encoding: .utf8)).dropFirst().map { $0 }
    }

    /// As if the first process had run for hours, and taken a terabyte.
    @Test func sumsWhatTheProcessesTook() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let first = try Trainer(
                try tinyRecipe("rotnet"), dataset: images, folder: RunFolder(folder), options: tinyOptions(shouldStop: stopping(after: 1)))
            #expect(try first.run() == .interrupted)
            #expect(try timing(folder).seconds! > 0)
            try JSONFile.write(RunTiming(seconds: 10_000, peakMemoryMB: 1_048_576), to: "\(folder)/timing.json")
            let start = Date()
            try resumeUntilDone(folder, images, every: 2)
            let elapsed = Date().timeIntervalSince(start)
            let total = try timing(folder)
            #expect((10_000...10_000 + elapsed).contains(total.seconds!) && total.seconds! > 10_000 && total.peakMemoryMB == 1_048_576)
        }
    }

    /// Another run in the same place has nothing of it: no checkpoint, no time.
    @Test func beginsAtZero() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            try JSONFile.write(RunTiming(seconds: 10_000), to: "\(folder)/timing.json")
            try wholeRun(try tinyRecipe("rotnet"), images, folder)
            #expect(try timing(folder).seconds! < 10_000)
        }
    }

    @Test func finishedRunKeepsItsTime() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let whole = try wholeRun(try tinyRecipe("rotnet"), images, folder)
            for checkpoint in ["last", "best"] {
                // `best` is the last epoch's, or one that is trained again.
                let trains = try Checkpoint.read(RunFolder(folder).checkpoint(checkpoint)).position.epoch < 3
                try resumeUntilDone(folder, images, from: checkpoint)
                #expect((try contents(of: "\(folder)/timing.json") == whole["timing.json"]) == !trains, "\(checkpoint)")
            }
        }
    }

    /// One row for each epoch, and of one that was trained twice the later.
    @Test func epochsTrainedAgainReplaceTheirRows() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            try wholeRun(try tinyRecipe("rotnet"), images, folder)
            let old = try rows(folder)
            #expect(old.map { $0[0] } == ["1", "2", "3"])
            let marked = (["epoch,seconds,images_per_second,peak_memory_mb"] + (1...3).map { "\($0),9999.00,1.0,7" }).joined(
                separator: "\n")
            try AtomicFile.write(marked + "\n", to: "\(folder)/timing.csv")
            try resumeUntilDone(folder, images, from: "epoch-2")
            let new = try rows(folder)
            #expect(new.map { $0[0] } == ["1", "2", "3"] && new.map { $0[1] == "9999.00" } == [true, true, false])
        }
    }
}
