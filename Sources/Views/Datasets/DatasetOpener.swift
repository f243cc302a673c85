/// Opens whatever dataset lies at a path.
public enum DatasetOpener {
    /// One part of the dataset at `path`; see ``DatasetSplits/open(_:options:)`` for what is recognised.
    ///
    /// - Parameter part: the training part is everything where a dataset is not divided.
    /// - Throws: ``DatasetError``, also when there is no such part.
    public static func open(
        _ path: String, part: DatasetPart = .train, options: DatasetOptions = DatasetOptions()
    ) throws(DatasetError) -> any ImageDataset {
        let splits = try DatasetSplits.open(path, options: options)
        let found: (any ImageDataset)? =
            switch part {
            case .train: splits.train
            case .test: splits.test
            case .unlabelled: splits.unlabelled
            }
        guard let found else { throw .noSuchPart(part, in: path) }
        return found
    }
}
