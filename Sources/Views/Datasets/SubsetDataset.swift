/// Some pictures of another dataset, in the order of the given indices. Classes and names stay those of the whole.
public struct SubsetDataset: ImageDataset {
    public let base: any ImageDataset
    /// Where each picture lies in `base`.
    public let indices: [Int]

    /// - Precondition: all indices are within `base`.
    public init(_ base: any ImageDataset, indices: [Int]) {
        precondition(indices.allSatisfy { $0 >= 0 && $0 < base.count }, "an index beyond the dataset's \(base.count) pictures")
        self.base = base
        self.indices = indices
    }

    public var count: Int { indices.count }
    public var classNames: [String] { base.classNames }
    public func label(at index: Int) -> Int? { base.label(at: indices[index]) }
    public func name(at index: Int) -> String { base.name(at: indices[index]) }
    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try base.image(at: indices[index], coveringAtLeast: target)
    }
    public func fingerprint(at index: Int) -> UInt64? { base.fingerprint(at: indices[index]) }
    public func clip(at index: Int) throws(ImageError) -> Clip? { try base.clip(at: indices[index]) }
}

extension ImageDataset {
    /// The pictures at `indices`, in that order.
    public func subset(_ indices: [Int]) -> SubsetDataset { SubsetDataset(self, indices: indices) }

    /// At most `limit` pictures drawn at random from `seed`, in their old order.
    public func randomSubset(limit: Int, seed: UInt64) -> SubsetDataset {
        subset(RandomSubset.indices(of: count, limit: limit, seed: seed))
    }
}
