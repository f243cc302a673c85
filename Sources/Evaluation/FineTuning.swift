internal import Backbones
internal import Embeddings
internal import Foundation
internal import Methods
internal import Torch
internal import Training
internal import Views

/// Trains a whole network on few labelled images, from an encoder's weights or from new ones, by the trainer that pretrains.
struct FineTuning {
    /// Tried on a fifth of the labelled images; the best is taken for all of them.
    var learningRates: [Double]
    var epochs: Int
    /// So that a handful of images still makes a run.
    var leastSteps: Int
    var batchSize: Int
    var weightDecay: Double
    var seed: UInt64
    var threads: Int
    var device: Device

    struct Outcome {
        /// One per labelled test image, in order.
        var correct: [Bool]
        var learningRate: Double
    }

    /// - Parameters:
    ///   - encoder: its settings and weights; of a random one the weights are new as well, so that this is the supervised baseline.
    ///   - images: all with labels.
    func callAsFunction(from encoder: Encoder, on images: SubsetDataset, test: any ImageDataset) throws -> Outcome {
        let labels = (0..<images.count).map { images.label(at: $0)! }
        guard Set(labels).count >= 2 else { throw EvaluationError("fine-tuning needs labelled images of at least 2 classes") }
        let (fit, held) = HoldOut.stratified(labels, share: 0.2, seed: seed)
        var (rate, best) = (learningRates[0], -1.0)
        if learningRates.count > 1, !held.isEmpty {
            for candidate in learningRates {
                let correct = try accuracy(of: train(encoder, images.subset(fit), candidate), on: images.subset(held))
                let share = Double(correct.count { $0 }) / Double(correct.count)
                if share > best { (rate, best) = (candidate, share) }
            }
        }
        return Outcome(correct: try accuracy(of: train(encoder, images, rate), on: test), learningRate: rate)
    }

    /// SimCLR's fine-tuning (appendix B.5): Nesterov momentum of 0.9, random crops and flips, rates for batches of 256.
    /// Deviations: batches that suit few images, and a cosine where the paper does not say.
    func recipe(from encoder: Encoder, images: Int, learningRate: Double) throws -> Recipe {
        var recipe = Recipe(method: MethodChoice(try MethodRegistry.standard.entry(named: "supervised")))
        recipe.backbone = encoder.settings
        recipe.data.imageSize = encoder.imageSize
        recipe.data.input = encoder.input
        recipe.training.batchSize = min(batchSize, images)
        let steps = max(1, images / recipe.training.batchSize)
        recipe.training.epochs = max(epochs, (leastSteps + steps - 1) / steps)
        recipe.training.optimizer.nesterov = true
        recipe.training.learningRate = learningRate
        recipe.training.learningRateScaling = .linear
        recipe.training.weightDecay = weightDecay
        recipe.training.seed = seed
        recipe.monitoring.healthImages = 0
        recipe.monitoring.checkpointEveryEpochs = recipe.training.epochs
        return recipe
    }

    private func train(_ encoder: Encoder, _ images: any ImageDataset, _ learningRate: Double) throws -> Supervised {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-finetune-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = Trainer.Options()
        options.device = device
        options.loaderThreads = threads
        options.rehearses = false
        let trainer = try Trainer(
            recipe(from: encoder, images: images.count, learningRate: learningRate), dataset: images, folder: RunFolder(folder),
            options: options)
        let network = trainer.method as! Supervised
        try network.encoder.load(encoder.stateDict)
        _ = try trainer.run()
        return network
    }

    private func accuracy(of network: Supervised, on images: any ImageDataset) throws -> [Bool] {
        let extraction = FeatureExtraction(imageSize: network.encoder.imageSize, threads: threads, device: device)
        let found = try network.evaluating { try extraction(images) { network.logits($0) } }
        return Classification(labels: found.labels, ranked: Metrics.ranking(found.rows, 1), classNames: images.classNames).correct()
    }
}
