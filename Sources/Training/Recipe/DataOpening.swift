public import Methods
public import Views

extension DataSettings {
    /// The images to train on: of a divided set the part without labels where there is one and the method needs none, else
    /// the training part; limited as the settings say.
    public func open(_ entry: MethodEntry, options: DatasetOptions = DatasetOptions()) throws -> any ImageDataset {
        guard let path else { throw TrainingError("the recipe does not say where the images are: give --data") }
        let images = try Self.open(path, entry, options: options)
        let seed = UInt64(truncatingIfNeeded: limitSeed)
        let limited: any ImageDataset = limit.map { images.randomSubset(limit: $0, seed: seed) } ?? images
        guard entry.card.needsLabels, let labelledShare, labelledShare < 1 else { return limited }
        return limited.withLabels(ofShare: labelledShare, seed: seed)
    }

    /// All of them; of methods that learn from clips, the clips.
    public static func open(
        _ path: String, _ entry: MethodEntry, options: DatasetOptions = DatasetOptions()
    ) throws(DatasetError) -> any ImageDataset {
        if entry.card.needsClips { return try ClipDataset(path) }
        let splits = try DatasetSplits.open(path, options: options, heldOut: false)
        return entry.card.needsLabels ? splits.train : splits.unlabelled ?? splits.train
    }
}
