internal import Backbones
internal import Embeddings
internal import Foundation
internal import Methods
internal import Torch
internal import Training
internal import Views

/// Trains a whole network on few labelled images, from an encoder's weights or from new ones, by the trainer that pretrains.
struct FineTuning {
    /// What to do with so many labelled images: the plans to try on a fifth of them, the best of which is taken for all.
    var plans: (_ images: any ImageDataset, _ encoder: Encoder) -> [FineTuneRecipe.Plan]
    /// How the search goes on from the best of them, one after the other, on the same fifth.
    var refinements: [FineTuneRecipe.Refinement] = []
    /// So that a handful of images still makes a run; of plans that count epochs.
    var leastSteps = 1
    var seed: UInt64
    var threads: Int
    var device: Device

    struct Outcome {
        /// One per labelled test image, in order.
        var correct: [Bool]
        var plan: FineTuneRecipe.Plan
    }

    /// - Parameters:
    ///   - encoder: its settings and weights; of a random one the weights are new as well, so that this is the supervised baseline.
    ///   - head: for plans that begin in the projection head; nil for a new layer there, or none.
    ///   - images: all with labels.
    func callAsFunction(
        from encoder: Encoder, head: ProjectionHead? = nil, on images: SubsetDataset, test: any ImageDataset
    ) throws -> Outcome {
        let plan = try chosenPlan(from: encoder, head: head, on: images)
        return Outcome(correct: try accuracy(of: train(encoder, head, images, plan), on: test, plan), plan: plan)
    }

    /// What does best on a fifth of the images, fitted to the others.
    func chosenPlan(from encoder: Encoder, head: ProjectionHead?, on images: SubsetDataset) throws -> FineTuneRecipe.Plan {
        let labels = (0..<images.count).map { images.label(at: $0)! }
        guard Set(labels).count >= 2 else { throw EvaluationError("fine-tuning needs labelled images of at least 2 classes") }
        let plans = plans(images, encoder)
        let (fit, held) = HoldOut.stratified(labels, share: 0.2, seed: seed)
        guard plans.count > 1 || !refinements.isEmpty, !held.isEmpty else { return plans[0] }
        return try Self.best(of: plans, refinements) { plan in
            let correct = try accuracy(of: train(encoder, head, images.subset(fit), plan), on: images.subset(held), plan)
            return Double(correct.count { $0 }) / Double(correct.count)
        }
    }

    /// The first plan of the highest value, and from there every refinement that does better still.
    static func best(
        of plans: [FineTuneRecipe.Plan], _ refinements: [FineTuneRecipe.Refinement],
        by value: (FineTuneRecipe.Plan) throws -> Double
    ) throws -> FineTuneRecipe.Plan {
        var (chosen, best) = (plans[0], -Double.infinity)
        func isBetter(_ plan: FineTuneRecipe.Plan) throws -> Bool {
            let found = try value(plan)
            guard found > best else { return false }
            (chosen, best) = (plan, found)
            return true
        }
        for plan in plans { _ = try isBetter(plan) }
        for refinement in refinements {
            for _ in 0..<refinement.most {
                let changed = refinement.change(chosen)
                // Nothing to try, or nothing won.
                guard changed != chosen, try isBetter(changed) else { break }
            }
        }
        return chosen
    }

    /// - Parameter images: how many there are in an epoch.
    func recipe(from encoder: Encoder, head: ProjectionHead? = nil, images: Int, plan: FineTuneRecipe.Plan) throws -> Recipe {
        var settings = Supervised.Settings()
        settings.mixUp = plan.mixUp
        settings.layerDecay = plan.layerDecay
        settings.zeroInitClassifier = plan.zeroInitClassifier
        if plan.beginsInHead, let head {
            settings.headWidth = head.width
            settings.headBatchNorm = head.hasBatchNorm
        }
        var recipe = Recipe(method: MethodChoice(name: "supervised", settings: settings))
        // The images may have another size than the encoder's, which must not decide on its first layer.
        recipe.backbone = BackboneRegistry.settled(encoder.settings, imageSize: encoder.imageSize)
        recipe.data.imageSize = plan.sides?.crop ?? encoder.imageSize
        recipe.data.input = encoder.input
        recipe.views = try plan.sides?.trainingViews()
        recipe.training.batchSize = min(plan.batchSize, images)
        let perEpoch = max(1, images / recipe.training.batchSize)
        switch plan.length {
        case .epochs(let epochs): recipe.training.epochs = max(epochs, (leastSteps + perEpoch - 1) / perEpoch)
        case .steps(let steps): recipe.training.epochs = max(1, Int((Double(steps) / Double(perEpoch)).rounded()))
        }
        recipe.training.epochs *= plan.lengthening
        let epochs = Double(recipe.training.epochs)
        recipe.training.optimizer.name = plan.optimizer
        recipe.training.optimizer.nesterov = plan.nesterov
        recipe.training.learningRate = plan.learningRate
        recipe.training.learningRateScaling = plan.scaling
        recipe.training.warmUpEpochs = plan.warmUp * epochs
        if !plan.steps.isEmpty {
            recipe.training.schedule = .steps
            recipe.training.stepEpochs = plan.steps.map { $0 * epochs }
        }
        recipe.training.weightDecay = plan.weightDecay
        recipe.training.seed = seed
        recipe.monitoring.healthImages = 0
        recipe.monitoring.checkpointEveryEpochs = recipe.training.epochs
        return recipe
    }

    private func train(
        _ encoder: Encoder, _ head: ProjectionHead?, _ images: any ImageDataset, _ plan: FineTuneRecipe.Plan
    ) throws -> Supervised {
        let folder = ScratchFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try train(encoder, head, images, plan, folder: folder)
    }

    /// - Parameter folder: of the run, which stays.
    func train(
        _ encoder: Encoder, _ head: ProjectionHead?, _ images: any ImageDataset, _ plan: FineTuneRecipe.Plan, folder: String
    ) throws -> Supervised {
        var options = Trainer.Options()
        options.device = device
        options.loaderThreads = threads
        options.rehearses = false
        let repeats = plan.fillsBatches ? (plan.batchSize + images.count - 1) / images.count : 1
        let images = repeats > 1 ? images.subset((0..<repeats).flatMap { _ in 0..<images.count }) : images
        let recipe = try recipe(from: encoder, head: head, images: images.count, plan: plan)
        let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: options)
        let network = trainer.method as! Supervised
        try network.encoder.load(encoder.stateDict)
        if let head, let own = network.head { try own.load(head.state) }
        _ = try trainer.run()
        return network
    }

    func accuracy(of network: any Classifying, on images: any ImageDataset, _ plan: FineTuneRecipe.Plan) throws -> [Bool] {
        let extraction = FeatureExtraction(imageSize: network.encoder.imageSize, threads: threads, device: device)
        let found = try network.evaluating { try extraction(images, views: plan.sides?.testViews()) { network.logits($0) } }
        return Classification(labels: found.labels, ranked: Metrics.ranking(found.rows, 1), classNames: images.classNames).correct()
    }
}
