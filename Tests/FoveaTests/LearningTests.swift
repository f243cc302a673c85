import Foundation
import Fovea
import Testing
import TestSupport

/// Whole runs that learn: on made-up shapes an encoder that was pretrained for seconds finds the class of new images by
/// their neighbours more often than a random encoder of its architecture, by at least `margin`.
///
/// Seen: 6 to 14 points over a random encoder of about 16 % (chance is 12.5 %). This shows that training
/// works at all; it says nothing of how good the methods are.
@Suite struct LearningTests {
    private static let margin = 0.03

    private static let images: (train: any ImageDataset, test: any ImageDataset) = {
        (try! Kept(SyntheticShapes(count: 800, side: 16, seed: 0)), try! Kept(SyntheticShapes(count: 800, side: 16, seed: 1)))
    }()

    /// Images drawn once.
    private struct Kept: ImageDataset {
        private let images: [PixelImage]
        private let shapes: SyntheticShapes

        init(_ shapes: SyntheticShapes) throws {
            self.shapes = shapes
            images = try (0..<shapes.count).map { try shapes.image(at: $0, coveringAtLeast: nil) }
        }

        var count: Int { images.count }
        var classNames: [String] { shapes.classNames }
        func label(at index: Int) -> Int? { shapes.label(at: index) }
        func name(at index: Int) -> String { shapes.name(at: index) }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { images[index] }
    }

    private func recipe(_ method: String, seed: UInt64) throws -> Recipe {
        var recipe = try tinyRecipe(method)
        recipe.backbone.width = 8
        recipe.training.seed = seed
        recipe.training.learningRate = 0.1
        recipe.training.batchSize = 32
        recipe.training.epochs = 5
        if method == "simclr" {
            var settings = SimCLR.Settings()
            settings.temperature = 0.2
            recipe.method.settings = settings
            recipe.training.learningRate = 0.2
            recipe.training.batchSize = 64
            recipe.training.epochs = 12
        }
        recipe.monitoring.healthImages = 0
        return recipe
    }

    @Test(arguments: ["rotnet", "simclr"], [1, 2] as [UInt64]) func beatsARandomEncoder(_ method: String, _ seed: UInt64) throws {
        let (train, test) = Self.images
        try withTemporaryFolder { folder in
            var options = tinyOptions()
            // Several spin while they wait, which is slow on cores that others use too.
            Runtime.threads = 1
            options.loaderThreads = 1
            let trainer = try Trainer(
                try recipe(method, seed: seed), dataset: train.unlabelled, folder: RunFolder("\(folder)/run"), options: options)
            #expect(try trainer.run() == .finished)
            var evaluator = Evaluator()
            evaluator.protocols = [NearestNeighbourProtocol()]
            evaluator.randomEncoders = 1
            evaluator.seed = seed
            let outcome = try evaluator(Encoder.load("\(folder)/run"), name: method, train: train, test: test, folder: nil)
            let gain = try #require(outcome.differences.first { $0.metric == "top-1" && $0.baseline == "random encoder" })
            print("\(method), seed \(seed): \(gain.value) above a random encoder")
            #expect(gain.value > Self.margin, "\(gain.sentence)")
        }
    }
}
