import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// Runs that go wrong: losses that are no numbers, images that cannot be read.
@Suite struct BadRunTests {
    private static let methods = MethodRegistry.standard + [MethodEntry(ScalarMethod.self)]

    private func poisoned(at step: Int, _ reaction: MonitoringSettings.Reaction) throws -> Recipe {
        var recipe = try tinyRecipe("scalar", Self.methods)
        var settings = ScalarMethod.Settings()
        settings.poisonAtStep = step
        recipe.method.settings = settings
        recipe.monitoring.onNonFinite = reaction
        return recipe
    }

    /// At steps of the second epoch that no measurement falls on, but for the first: the end of the epoch has to notice, and
    /// the checkpoints that it finds have to stay.
    @Test(arguments: [3, 4, 5]) func stopsAndKeepsTheLastGoodCheckpoint(_ step: Int) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try poisoned(at: step, .stop)
            recipe.monitoring.logEverySteps = 100
            let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions())
            let error = try #require(throws: TrainingError.self) { try trainer.run() }
            for words in ["no longer finite", "training.learningRate", "training.clipGradientNorm=1", RunFolder(folder).lastCheckpoint] {
                #expect(error.description.contains(words), "\(error)")
            }
            #expect(try Checkpoint.read(RunFolder(folder).lastCheckpoint).position.epoch == 1)
            #expect(try metrics(folder).count == 1)
            #expect(try Encoder.load(folder, methods: Self.methods).stateDict.values.allSatisfy { $0.isFinite().all().item == 1 })
        }
    }

    /// One line before the run begins, not libtorch's failure in its first step.
    @Test func tilesAreLargeEnoughForTheBackbone() throws {
        var recipe = try tinyRecipe("jigsaw")
        recipe.backbone = BackboneSettings("alexnet", width: 4, stem: .imagenet)
        recipe.data.imageSize = 72
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let error = try #require(throws: BackboneError.self) {
                _ = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions())
            }
            #expect(error.description.contains("needs 63 pixels and more") && error.description.contains("raise data.imageSize"))
        }
    }

    /// Weights and loss can be numbers when what evaluation sees is none.
    @Test func stopsWhereTheRepresentationIsNoNumber() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("scalar", Self.methods)
            var settings = ScalarMethod.Settings()
            settings.ruinsStatisticsAtStep = 3
            recipe.method.settings = settings
            recipe.monitoring.healthImages = 8
            func trainer(_ name: String) throws -> Trainer {
                try Trainer(
                    recipe, dataset: images, folder: RunFolder("\(folder)/\(name)"), methods: Self.methods, options: tinyOptions())
            }
            let error = try #require(throws: TrainingError.self) { _ = try trainer("stops").run() }
            #expect(error.description.contains("the representation is no longer finite") && error.isDivergence)
            #expect(try Checkpoint.read(RunFolder("\(folder)/stops").lastCheckpoint).position.epoch == 1)
            recipe.monitoring.onNonFinite = .warn
            #expect(try trainer("goes on").run() == .finished)
        }
    }

    /// Not in a checkpoint by the clock either.
    @Test func savesNothingThatIsNotFinite() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try poisoned(at: 4, .stop)
            recipe.monitoring.logEverySteps = 100
            recipe.monitoring.checkpointEveryMinutes = 1e-9
            let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions())
            #expect(throws: TrainingError.self) { try trainer.run() }
            let saved = try Checkpoint.read(RunFolder(folder).lastCheckpoint)
            #expect(saved.position.step == 4)
            #expect(saved.state("method.").values.allSatisfy { $0.isFinite().all().item == 1 })
        }
    }

    @Test(arguments: [MonitoringSettings.Reaction.warn, .ignore]) func goesOnWhenAsked(_ reaction: MonitoringSettings.Reaction) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let notes = Notes()
            try wholeRun(try poisoned(at: 3, reaction), images, folder, Self.methods, options: tinyOptions(observer: notes))
            #expect(notes.messages.contains { $0.contains("no longer finite") } == (reaction == .warn))
            #expect(try metrics(folder).map { $0["loss"]!.isFinite } == [true, false, false])
        }
    }

    /// A network that has diverged altogether is still looked at, and told about, when the run is to go on.
    @Test func divergedEncoderGoesOnWhenAsked() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("rotnet")
            recipe.training.learningRate = 1e30
            recipe.training.warmUpEpochs = 0
            recipe.monitoring.onNonFinite = .ignore
            let notes = Notes()
            try wholeRun(recipe, images, folder, options: tinyOptions(observer: notes))
            #expect(try metrics(folder).last?["loss"]?.isFinite == false)
            #expect(!notes.messages.isEmpty)
        }
    }

    /// Images of which every third, or the given ones, cannot be read.
    private struct Torn: ImageDataset {
        let base: TinyImages
        let torn: Set<Int>
        var count: Int { base.count }
        var classNames: [String] { base.classNames }
        func label(at index: Int) -> Int? { base.label(at: index) }
        func name(at index: Int) -> String { "torn, \(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            if torn.contains(index) { throw .unreadable(file: name(at: index), reason: "made so, for a test") }
            return try base.image(at: index, coveringAtLeast: target)
        }
    }

    /// Listed with reasons, counted, and the same after interruptions, whatever the first look or the loader's threads saw.
    @Test func listsUnreadableImages() throws {
        let images = Torn(base: try TinyImages(), torn: [0, 9, 31, 55])
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe("simclr")
            let whole = try wholeRun(recipe, images, "\(folder)/whole", options: tinyOptions(rehearses: true))
            let rows = try CSV.parse(String(contentsOfFile: "\(folder)/whole/unreadable.csv", encoding: .utf8))
            #expect(
                rows == [["name", "reason"]]
                    + [0, 9, 31, 55].map {
                        ["torn, \($0)", "\(ImageError.unreadable(file: "torn, \($0)", reason: "made so, for a test"))"]
                    })
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/whole/summary.json"))
            #expect(try JSONDecoder().decode(RunSummary.self, from: data).dataset?.unreadable == 4)
            let run = "\(folder)/run"
            let first = try Trainer(
                recipe, dataset: images, folder: RunFolder(run), options: tinyOptions(loaderThreads: 0, shouldStop: stopping(after: 1)))
            #expect(try first.run() == .interrupted)
            try resumeUntilDone(run, images, every: 1, rehearses: true)
            #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [])
        }
    }

    @Test func tooManyUnreadableImages() throws {
        let images = Torn(base: try TinyImages(), torn: Set((0..<56).filter { $0.isMultiple(of: 3) }))
        try withTemporaryFolder { folder in
            let trainer = try Trainer(
                try tinyRecipe("simclr"), dataset: images, folder: RunFolder(folder), options: tinyOptions(rehearses: true))
            let error = try #require(throws: TrainingError.self) { try trainer.run() }
            #expect(error.description.contains("data.unreadableShare (0.1)") && error.description.contains("unreadable.csv"))
        }
    }

    /// With the first look and without it.
    @Test(arguments: [true, false]) func noReadableImage(_ rehearses: Bool) throws {
        let images = Torn(base: try TinyImages(), torn: Set(0..<56))
        try withTemporaryFolder { folder in
            let trainer = try Trainer(
                try tinyRecipe("simclr"), dataset: images, folder: RunFolder(folder), options: tinyOptions(rehearses: rehearses))
            let error = try #require(throws: TrainingError.self) { try trainer.run() }
            #expect(error.description.contains("can be read") || error.description.contains("cannot be read"), "\(error)")
        }
    }

    /// A whole batch of them: the run goes on with the others, and counts right.
    @Test func unreadableBatch() throws {
        let order = Sampler.shuffled(56, seed: 3, epoch: 0)
        let images = Torn(base: try TinyImages(), torn: Set(order[16..<32]))
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("simclr")
            recipe.data.unreadableShare = 0.34
            try wholeRun(recipe, images, folder)
            #expect(try metrics(folder)[0]["step"] == 2)
        }
    }

    @Test func tooFewImages() throws {
        try withTemporaryFolder { folder in
            let error = #expect(throws: TrainingError.self) {
                try Trainer(try tinyRecipe("simclr"), dataset: try TinyImages(1), folder: RunFolder(folder), options: tinyOptions())
            }
            #expect(error?.description.contains("SimCLR needs at least 2 images, and there are 1") == true)
            let unlabelled = #expect(throws: TrainingError.self) {
                try Trainer(
                    try tinyRecipe("supervised"), dataset: try TinyImages().unlabelled, folder: RunFolder(folder), options: tinyOptions())
            }
            #expect(unlabelled?.description.contains("needs labels") == true)
        }
    }
}
