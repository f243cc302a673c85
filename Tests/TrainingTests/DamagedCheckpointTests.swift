import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// A checkpoint that cannot be gone on from gives one line that says so and which other one there is.
@Suite struct DamagedCheckpointTests {
    private let images: TinyImages

    init() throws { images = try TinyImages() }

    private func interrupted(_ folder: String, _ change: (inout Recipe) -> Void = { _ in }) throws {
        var recipe = try tinyRecipe("simclr")
        change(&recipe)
        let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: tinyOptions(shouldStop: stopping(after: 9)))
        #expect(try trainer.run() == .interrupted)
    }

    /// The one line that resuming gives; nil when it resumes.
    private func refusal(_ folder: String, _ images: (any ImageDataset)? = nil) -> String? {
        do {
            _ = try Trainer(resuming: RunFolder(folder), dataset: images ?? self.images, options: tinyOptions())
            return nil
        } catch {
            #expect(!"\(error)".contains("\n"))
            return "\(error)"
        }
    }

    private func expectRefused(_ folder: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        let line = refusal(folder) ?? "resumed"
        for word in words { #expect(line.contains(word), "\(line)", sourceLocation: sourceLocation) }
        #expect(line.contains("--from best or epoch-2"), "\(line)", sourceLocation: sourceLocation)
    }

    @Test func truncated() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let path = RunFolder(folder).lastCheckpoint
            let bytes = try contents(of: path)
            for length in [0, 5, 100, bytes.count / 2, bytes.count - 1] {
                try AtomicFile.write(Array(bytes[..<length]), to: path)
                expectRefused(folder, "damaged", path)
            }
            try AtomicFile.write(bytes, to: path)
            #expect(refusal(folder) == nil)
        }
    }

    /// One bit anywhere: in the header's length, names, offsets, position or recipe, and in the tensors.
    @Test func flippedBits() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let path = RunFolder(folder).lastCheckpoint
            let bytes = try contents(of: path)
            let header = 8 + (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
            var random = ViewKey(seed: 11, epoch: 0, index: 0, stream: 0).random()
            var places = (0..<8).map { $0 } + (0..<60).map { _ in 8 + Int(random.uniform() * Double(header - 8)) }
            places += (0..<40).map { _ in header + Int(random.uniform() * Double(bytes.count - header)) } + [header, bytes.count - 1]
            var accepted: [Int] = []
            for place in places {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(random.uniform() * 8)
                try AtomicFile.write(damaged, to: path, synced: false)
                // In JSON's spaces, or between upper and lower case of an escape, a bit may mean nothing.
                if refusal(folder) == nil, place >= header || damaged[place] & 0x5f != bytes[place] & 0x5f { accepted.append(place) }
            }
            #expect(accepted == [])
        }
    }

    @Test func notACheckpoint() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let path = RunFolder(folder).lastCheckpoint
            try Safetensors.write(["weight": .zeros([3])], to: path)
            expectRefused(folder, "is not a checkpoint of Fovea's", path)
            try AtomicFile.write("garbage, and enough of it to be a header", to: path)
            expectRefused(folder, "damaged", path)
        }
    }

    /// Of the same shape, so that nothing but the recipe in it tells.
    @Test func ofAnotherRun() throws {
        try withTemporaryFolder { folder in
            try interrupted("\(folder)/a")
            try interrupted("\(folder)/b") { $0.training.seed = 4 }
            let (a, b) = (RunFolder("\(folder)/a"), RunFolder("\(folder)/b"))
            try AtomicFile.write(contents(of: b.lastCheckpoint), to: a.lastCheckpoint)
            expectRefused(a.path, "another recipe", "it has 'training.seed: 4'", "has 'training.seed: 3'")
        }
    }

    /// What is measured and how often it is saved may change while a run rests.
    @Test func monitoringMayChange() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let text = try String(contentsOfFile: "\(folder)/recipe.yaml", encoding: .utf8)
            try AtomicFile.write(
                text.replacingOccurrences(of: "keepEveryEpochs: 2", with: "keepEveryEpochs: 3"), to: "\(folder)/recipe.yaml")
            #expect(refusal(folder) == nil)
            try AtomicFile.write(text.replacingOccurrences(of: "epochs: 3", with: "epochs: 4"), to: "\(folder)/recipe.yaml")
            expectRefused(folder, "another recipe", "'training.epochs: 3'", "'training.epochs: 4'")
            try AtomicFile.write(
                text.replacingOccurrences(of: "  precision: float32", with: "  precision: float32\n  clipGradientNorm: 3"),
                to: "\(folder)/recipe.yaml")
            expectRefused(folder, "'no training.clipGradientNorm'", "'training.clipGradientNorm: 3'")
        }
    }

    /// After it ran out of memory.
    @Test func recomputationMayChange() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let text = try String(contentsOfFile: "\(folder)/recipe.yaml", encoding: .utf8)
            try AtomicFile.write(
                text.replacingOccurrences(of: "  precision: float32", with: "  precision: float32\n  recompute: all"),
                to: "\(folder)/recipe.yaml")
            #expect(refusal(folder) == nil)
        }
    }

    /// A generator's state of another libtorch, or none, where setting it would trap.
    @Test func generatorOfAnotherSize() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let path = RunFolder(folder).lastCheckpoint
            var checkpoint = try Checkpoint.read(path)
            for state in [Tensor.zeros([16], .uint8), .zeros(Runtime.generatorState().shape, .float32), nil] {
                checkpoint.tensors["generator.cpu"] = state
                try checkpoint.write(to: path)
                expectRefused(folder, "random generator")
            }
        }
    }

    @Test func weightsOfAnotherShape() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let path = RunFolder(folder).lastCheckpoint
            var checkpoint = try Checkpoint.read(path)
            let key = try #require(checkpoint.tensors.keys.first { $0.hasSuffix("conv1.weight") })
            checkpoint.tensors[key] = .zeros([2, 2])
            try checkpoint.write(to: path)
            expectRefused(folder, "not one of this recipe", "misshapen")
        }
    }

    @Test func onlyCheckpoint() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            for name in ["best", "epoch-2"] { try FileManager.default.removeItem(atPath: RunFolder(folder).checkpoint(name)) }
            try AtomicFile.write("", to: RunFolder(folder).lastCheckpoint)
            #expect(refusal(folder)?.contains("there is no other") == true)
        }
    }

    @Test func missingCheckpoints() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let error = #expect(throws: TrainingError.self) {
                try Trainer(resuming: RunFolder(folder), from: "epoch-9", dataset: images, options: tinyOptions())
            }
            #expect(error?.description.contains("no checkpoint 'epoch-9'; it has best, epoch-2, last") == true)
            try FileManager.default.removeItem(atPath: RunFolder(folder).lastCheckpoint)
            #expect(
                refusal(folder)?.contains("last.safetensors is missing: go on from another checkpoint by --from best or epoch-2") == true)
            // A finished run without any is not trained anew.
            try resumeUntilDone(folder, images, from: "best")
            try FileManager.default.removeItem(atPath: "\(folder)/checkpoints")
            let encoder = try contents(of: RunFolder(folder).encoder)
            #expect(refusal(folder)?.contains("there is no other checkpoint: \(folder)/encoder.safetensors is whole") == true)
            #expect(try contents(of: RunFolder(folder).encoder) == encoder)
        }
    }

    @Test func missingRecipe() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            try FileManager.default.removeItem(atPath: "\(folder)/recipe.yaml")
            #expect(refusal(folder)?.contains("\(folder)/recipe.yaml") == true)
        }
    }

    @Test func otherImages() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            #expect(refusal(folder, try TinyImages(57))?.contains("56 images of 8 classes, and now there are 57") == true)
            #expect(refusal(folder, try TinyImages(prefix: "other"))?.contains("other names or labels") == true)
            #expect(refusal(folder, try TinyImages().unlabelled)?.contains("of 8 classes, and now there are 56 of 0") == true)
        }
    }
}
