/// Another dataset's pictures without their labels.
public struct UnlabelledDataset: ImageDataset {
    private let base: any ImageDataset

    public init(_ base: any ImageDataset) { self.base = base }

    public var count: Int { base.count }
    public var classNames: [String] { [] }
    public func label(at index: Int) -> Int? { nil }
    public func name(at index: Int) -> String { base.name(at: index) }
    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        try base.image(at: index, coveringAtLeast: target)
    }
    public func fingerprint(at index: Int) -> UInt64? { base.fingerprint(at: index) }
    public func clip(at index: Int) throws(ImageError) -> Clip? { try base.clip(at: index) }
}

extension ImageDataset {
    public var unlabelled: UnlabelledDataset { UnlabelledDataset(self) }
}
