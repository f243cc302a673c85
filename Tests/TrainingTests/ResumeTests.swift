import Foundation
import Fovea
import Methods
import Testing
import TestSupport

@testable import Training

/// However a run is interrupted, its files are the uninterrupted run's, byte for byte.
@Suite struct ResumeTests {
    /// The families' states in full; the others' (queues, banks, prototypes, clusters …) every two steps.
    private static let interruptedEverywhere: Set = ["simclr", "byol", "moco", "deepcluster_v2", "dino"]

    /// Asked once: after every step. Every third time: at the ends of the epochs. Every second time, and the ends of epochs
    /// count: after 2 steps, then at the end, and so on.
    @Test(arguments: MethodRegistry.standard.entries.map(\.card.name)) func stoppedAndResumed(_ method: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe(method)
            let whole = try wholeRun(recipe, images, "\(folder)/whole", options: tinyOptions(threads: 2))
            for (steps, parts) in [(1, 9), (2, 6), (3, 3)] where steps == 2 || Self.interruptedEverywhere.contains(method) {
                let run = "\(folder)/\(steps)"
                let first = try Trainer(
                    recipe, dataset: images, folder: RunFolder(run), options: tinyOptions(threads: 2, shouldStop: stopping(after: steps)))
                #expect(try first.run() == .interrupted)
                #expect(try 1 + resumeUntilDone(run, images, every: steps, threads: 2, rehearses: true) == parts)
                #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [], "every \(steps)")
            }
        }
    }

    /// The folder as it is between any two steps and at the ends of the epochs, with a checkpoint after every step: what a
    /// kill without warning leaves.
    @Test(arguments: ["simclr", "byol", "rotnet", "moco", "deepcluster_v2"]) func copiedWhileRunningAndResumed(_ method: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe(method)
            recipe.training.epochs = 2
            recipe.monitoring.checkpointEveryMinutes = 1e-9
            let run = "\(folder)/run"
            var copies: [String] = []
            func copy() {
                copies.append("\(folder)/copy\(copies.count)")
                try! FileManager.default.copyItem(atPath: run, toPath: copies.last!)
            }
            let notes = Notes()
            notes.atEpochEnd = { _ in copy() }
            let whole = try wholeRun(
                recipe, images, run,
                options: tinyOptions(
                    threads: 2, observer: notes,
                    shouldStop: {
                        copy()
                        return false
                    }))
            #expect(copies.count >= 8)
            for copy in copies {
                // What a process that was killed while it wrote leaves beside its files.
                try AtomicFile.write("half", to: "\(copy)/checkpoints/epoch-1.safetensors.partial")
                try AtomicFile.write("half", to: "\(copy)/timing.csv.partial")
                try resumeUntilDone(copy, images, threads: 2)
                #expect(differences(whole, try files(below: copy), ignoring: timingFiles) == [])
            }
        }
    }

    /// Sums are divided among threads.
    @Test func anotherNumberOfThreadsIsSaid() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let options = tinyOptions(shouldStop: stopping(after: 2))
            let first = try Trainer(tinyRecipe("simclr"), dataset: images, folder: RunFolder(folder), options: options)
            #expect(try first.run() == .interrupted)
            for (threads, count) in [(2, 1), (1, 0)] {
                let notes = Notes()
                _ = try Trainer(resuming: RunFolder(folder), dataset: images, options: tinyOptions(threads: threads, observer: notes))
                #expect(notes.messages.filter { $0.contains("--threads 1") }.count == count)
            }
        }
    }

    /// An interruption at the end of an epoch whose end writes no checkpoint of itself.
    @Test func stoppedBetweenRareCheckpoints() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("simclr")
            recipe.monitoring.checkpointEveryEpochs = 3
            let whole = try wholeRun(recipe, images, "\(folder)/whole")
            let run = "\(folder)/run"
            let first = try Trainer(recipe, dataset: images, folder: RunFolder(run), options: tinyOptions(shouldStop: stopping(after: 3)))
            #expect(try first.run() == .interrupted)
            #expect(try Checkpoint.read(RunFolder(run).lastCheckpoint).position.step == 3)
            try resumeUntilDone(run, images)
            #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [])
        }
    }

    /// An earlier checkpoint leads to the same end, also from a finished run.
    @Test(arguments: ["best", "epoch-2"]) func resumedFromAnotherCheckpoint(_ name: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let whole = try wholeRun(try tinyRecipe("simclr"), images, "\(folder)/run")
            try resumeUntilDone("\(folder)/run", images, from: name)
            #expect(differences(whole, try files(below: "\(folder)/run"), ignoring: timingFiles) == [])
        }
    }

    /// Nothing is trained again, and nothing changes.
    @Test func finishedRunStaysAsItIs() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let whole = try wholeRun(try tinyRecipe("rotnet"), images, "\(folder)/run")
            let notes = Notes()
            let trainer = try Trainer(resuming: RunFolder("\(folder)/run"), dataset: images, options: tinyOptions(observer: notes))
            #expect(try trainer.run() == .finished)
            #expect(notes.epochs.isEmpty && notes.plan == nil)
            #expect(differences(whole, try files(below: "\(folder)/run"), ignoring: timingFiles) == [])
        }
    }

    /// A new run does not begin over an old one.
    @Test func beginsOnlyWhereNoRunIs() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe("rotnet")
            try wholeRun(recipe, images, folder)
            let error = #expect(throws: TrainingError.self) {
                try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: tinyOptions())
            }
            #expect(error?.description.contains("--resume \(folder)") == true)
        }
    }
}
