/// Another dataset's pictures, of which only some keep their labels: what semi-supervised methods learn from.
public struct PartlyLabelledDataset: ImageDataset {
    private let base: any ImageDataset
    private let labelled: Set<Int>

    /// - Parameter labelled: the pictures that keep their label.
    public init(_ base: any ImageDataset, labelled: Set<Int>) {
        self.base = base
        self.labelled = labelled
    }

    public var count: Int { base.count }
    public var classNames: [String] { base.classNames }
    public func label(at index: Int) -> Int? { labelled.contains(index) ? base.label(at: index) : nil }
    public func name(at index: Int) -> String { base.name(at: index) }
    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try base.image(at: index, coveringAtLeast: target)
    }
    public func fingerprint(at index: Int) -> UInt64? { base.fingerprint(at: index) }
    public func clip(at index: Int) throws(ImageError) -> Clip? { try base.clip(at: index) }
}

extension ImageDataset {
    /// The same pictures, with the labels of a share of each class (at least one picture of it), drawn by `seed`.
    public func withLabels(ofShare share: Double, seed: UInt64) -> PartlyLabelledDataset {
        let classes = Dictionary(grouping: (0..<count).filter { label(at: $0) != nil }, by: { label(at: $0)! })
        let labelled = classes.flatMap { label, rows in
            let wanted = max(1, Int((share * Double(rows.count)).rounded()))
            return RandomSubset.indices(of: rows.count, limit: wanted, seed: seed &+ UInt64(label)).map { rows[$0] }
        }
        return PartlyLabelledDataset(self, labelled: Set(labelled))
    }
}

/// Two datasets' pictures one after the other; the second's have no labels.
public struct WithUnlabelledDataset: ImageDataset {
    private let first: any ImageDataset
    private let second: any ImageDataset

    public init(_ first: any ImageDataset, unlabelled second: any ImageDataset) {
        self.first = first
        self.second = second
    }

    public var count: Int { first.count + second.count }
    public var classNames: [String] { first.classNames }
    public func label(at index: Int) -> Int? { index < first.count ? first.label(at: index) : nil }
    public func name(at index: Int) -> String { index < first.count ? first.name(at: index) : second.name(at: index - first.count) }
    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        if index < first.count { return try first.image(at: index, coveringAtLeast: target) }
        return try second.image(at: index - first.count, coveringAtLeast: target)
    }
    public func fingerprint(at index: Int) -> UInt64? {
        index < first.count ? first.fingerprint(at: index) : second.fingerprint(at: index - first.count)
    }
    public func clip(at index: Int) throws(ImageError) -> Clip? {
        if index < first.count { return try first.clip(at: index) }
        return try second.clip(at: index - first.count)
    }
}
