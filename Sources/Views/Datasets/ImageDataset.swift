/// Pictures in a fixed order, with or without labels. The order is the same on every machine and in every run.
public protocol ImageDataset: Sendable {
    var count: Int { get }
    /// Indexed by label; empty when there are no labels.
    var classNames: [String] { get }
    /// An index into ``classNames``, or nil for a picture without a label.
    func label(at index: Int) -> Int?
    /// What to call the picture: its path relative to the root, or its place in a packed file, as `train/000123`.
    func name(at index: Int) -> String
    /// Reads and decodes a picture. `target` has the meaning it has in ``ImageDecoder/decode(_:coveringAtLeast:)``; packed
    /// pictures ignore it.
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage
}

/// The parts that a dataset may be divided into.
public enum DatasetPart: String, Sendable, CaseIterable {
    case train, test, unlabelled
}
