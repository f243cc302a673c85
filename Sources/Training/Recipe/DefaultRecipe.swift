internal import Backbones
public import Methods
public import Torch
public import Views

/// A recipe for whoever names only images: the method's published settings, with clusters and queues, an image size, a batch and a
/// learning rate that suit the data.
public enum DefaultRecipe {
    /// Looks at a few images for their size.
    /// - Parameters:
    ///   - epochs: the length of the run, which the warm-up suits.
    ///   - backbone: a name; by default a small transformer for methods that hide patches, else a small ResNet.
    public static func make(
        method: String, for dataset: any ImageDataset, epochs: Int? = nil, backbone: String? = nil, methods: MethodRegistry = .standard
    ) throws -> Recipe {
        let entry = try methods.entry(named: method)
        var recipe = Recipe(method: MethodChoice(entry))
        recipe.backbone.name = backbone ?? (entry.card.needsPatches ? "vit_tiny" : recipe.backbone.name)
        if let epochs { recipe.training.epochs = epochs }
        recipe.data.imageSize = imageSize(of: dataset)
        recipe.training.batchSize = batchSize(of: dataset.count)
        recipe.method.settings = recipe.method.settings.suited(toImages: dataset.count, batchSize: recipe.training.batchSize)
        recipe.training.learningRate = 0.12
        recipe.training.learningRateScaling = .linear
        recipe.training.warmUpEpochs = min(5, (Double(recipe.training.epochs) / 10).rounded(.down))
        recipe.monitoring.knnEveryEpochs = dataset.classNames.isEmpty ? 0 : 5
        recipe.provenance =
            "the default for these images: SGD at 0.12 × batch / 256 with a cosine, as the small-data recipes of MoCo and lightly have it"
        // Transformers hardly learn by SGD.
        if BackboneRegistry.all.contains(where: { $0.name == recipe.backbone.name && $0.hasPatches }) {
            recipe.training.optimizer.name = .adamw
            recipe.training.optimizer.beta2 = 0.95
            recipe.training.learningRate = 1e-3
            recipe.training.weightDecay = 0.05
            if entry.card.needsPatches { recipe.backbone.pooling = .mean }
            recipe.provenance =
                "the default for transformers on these images: AdamW at 0.001 × batch / 256 with a cosine, weight decay 0.05"
        }
        // Nor do decoders, and what is adversarial not at all.
        if entry.card.family == .generative {
            recipe.training.optimizer.name = .adam
            recipe.training.optimizer.beta1 = 0.5
            recipe.training.learningRate = 5e-4
            recipe.training.learningRateScaling = .none
            recipe.training.weightDecay = 0
            recipe.provenance = "the default for generative methods: Adam at 0.0005 with β 0.5 and a cosine"
        }
        return recipe
    }

    /// A method for whoever names none, and why it suits so many images on this device.
    public static func method(for images: Int, on device: Device) -> (name: String, reason: String) {
        let batch = batchSize(of: images)
        if batch < 128 {
            return (
                "dcl", "\(images) images make batches of \(batch), which cost DCL less than methods whose negatives are all in the batch"
            )
        }
        if device != .cpu, images >= 100_000 {
            return ("moco", "\(images) images and a GPU allow long runs, where a queue of negatives does without batches of thousands")
        }
        return ("simclr", "one network and no state beside it: steps are quick, and batches of \(batch) hold enough negatives")
    }

    /// At most 256, and so few that an epoch has at least ten steps.
    private static func batchSize(of images: Int) -> Int {
        var batch = 256
        while batch > 16, images < batch * 10 { batch /= 2 }
        return batch
    }

    /// Small images at their own size, others at up to 224 pixels.
    private static func imageSize(of dataset: any ImageDataset) -> Int {
        let tried = (0..<min(32, dataset.count)).map { $0 * dataset.count / min(32, dataset.count) }
        let sides = tried.compactMap { index -> Int? in
            (try? dataset.image(at: index, coveringAtLeast: nil)).map { min($0.width, $0.height) }
        }.sorted()
        guard !sides.isEmpty else { return 224 }
        let median = sides[sides.count / 2]
        return median >= 224 ? 224 : max(32, median / 16 * 16)
    }
}
