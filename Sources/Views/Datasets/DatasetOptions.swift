/// How datasets are opened.
public struct DatasetOptions: Sendable {
    /// The greatest number of pictures of each part; nil for all. Which ones is drawn at random from `seed`.
    public var limit: Int?
    public var seed: UInt64
    /// Decodes the pictures of folders and lists.
    public var decoder: ImageDecoder
    /// The classes to number the labels by, for a test part whose labels must mean what the training part's mean; nil to
    /// take those that are found.
    public var classNames: [String]?
    /// Told, in a line each, what is left out of folders and lists, and what in them may have been meant otherwise.
    public var note: @Sendable (String) -> Void

    public init(
        limit: Int? = nil, seed: UInt64 = 0, decoder: ImageDecoder = ImageDecoder(), classNames: [String]? = nil,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.limit = limit
        self.seed = seed
        self.decoder = decoder
        self.classNames = classNames
        self.note = note
    }
}
