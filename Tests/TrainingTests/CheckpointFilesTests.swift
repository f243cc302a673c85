import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// Which checkpoints there are, and what `best` is.
@Suite struct CheckpointFilesTests {
    @Test func keepsEverySecondEpoch() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("rotnet")
            recipe.training.epochs = 5
            try wholeRun(recipe, images, folder)
            let run = RunFolder(folder)
            #expect(run.checkpoints == ["best", "epoch-2", "epoch-4", "last"])
            for epoch in [2, 4] { #expect(try Checkpoint.read(run.checkpoint("epoch-\(epoch)")).position.epoch == epoch) }
            #expect(try Checkpoint.read(run.lastCheckpoint).position.epoch == 5)
            #expect(!FileManager.default.fileExists(atPath: run.projector))
        }
    }

    /// The first of the highest kNN accuracies, whatever the loss says, and also where only some epochs measure it.
    @Test(arguments: [1, 2]) func bestIsByNeighbours(_ every: Int) throws {
        let images = try TinyImages(96)
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("simclr")
            recipe.training.epochs = 6
            recipe.training.learningRate = 0.3
            recipe.monitoring.knnEveryEpochs = every
            recipe.monitoring.knnImages = 96
            try wholeRun(recipe, images, folder)
            let measured = try metrics(folder).compactMap { row in row["knn"].map { (epoch: Int(row["epoch"]!), knn: $0) } }
            #expect(measured.count == 6 / every)
            let highest = measured.map(\.knn).max()!
            let best = try Checkpoint.read(RunFolder(folder).checkpoint("best")).position
            #expect(best.epoch == measured.first { $0.knn == highest }?.epoch)
            #expect(abs(best.best! - highest) < 1e-6)
        }
    }

    /// A loss below zero is a better score than any accuracy, if the two are compared.
    @Test func lossAndAccuracyAreNotCompared() throws {
        let images = try TinyImages()
        let methods = MethodRegistry.standard + [MethodEntry(ScalarMethod.self)]
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("scalar", methods)
            var settings = ScalarMethod.Settings()
            settings.slope = -50
            recipe.method.settings = settings
            try wholeRun(recipe, images, folder, methods)
            #expect(try metrics(folder)[0]["loss"]! < -1)
            let best = try Checkpoint.read(RunFolder(folder).checkpoint("best")).position
            #expect(best.epoch == 2 && (0...1).contains(best.best!))
        }
    }

    /// Without labels the lowest loss.
    @Test func bestIsByLossWithoutLabels() throws {
        let images = try TinyImages().unlabelled
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("rotnet")
            recipe.training.epochs = 4
            try wholeRun(recipe, images, folder)
            let rows = try metrics(folder)
            #expect(rows.allSatisfy { $0["knn"] == nil })
            let lowest = rows.min { $0["loss"]! < $1["loss"]! }!
            #expect(try Checkpoint.read(RunFolder(folder).checkpoint("best")).position.epoch == Int(lowest["epoch"]!))
        }
    }
}
