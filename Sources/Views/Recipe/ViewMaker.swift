/// What one sample turns into: named outputs of fixed shape. Views of the image (`ViewRecipe`) are the usual case; pretext
/// tasks put patches, masks and targets here as well.
public protocol ViewMaker: Sendable {
    /// The outputs in order, images first.
    var outputs: [OutputSpec] { get }

    /// The side that a decoded image's shorter side has to reach for nothing to be lost, so that larger files may be
    /// decoded at a fraction of their size; nil to have every pixel.
    var decodeTarget: Int? { get }

    /// Whether `make` asks for partner images. If so, a batch keeps its decoded images until it is finished.
    var usesPartners: Bool { get }

    /// What a sample's targets say, in a few words each; nothing by default where there are only images.
    func captions(of outputs: OutputBuffers) -> [String]

    /// Fills one sample's outputs, from nothing but the arguments. Called by several threads at once, each with its own
    /// `scratch`.
    func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch)
}

extension ViewMaker {
    public var usesPartners: Bool { false }

    public func captions(of outputs: OutputBuffers) -> [String] {
        self.outputs.enumerated().compactMap { index, output in
            guard output.imageSize == nil, output.count <= 16 else { return nil }
            switch output.element {
            case .uint8: return "\(output.name): " + outputs.bytes(index).map { "\($0)" }.joined(separator: " ")
            case .int64: return "\(output.name): " + outputs.integers(index).map { "\($0)" }.joined(separator: " ")
            case .float32:
                return "\(output.name): " + outputs.floats(index).map { "\(($0 * 100).rounded() / 100)" }.joined(separator: " ")
            }
        }
    }
}

/// What identifies a sample in a run. `batch` and `position` depend on the epoch's order; whoever leaves them alone makes
/// the same views in any order.
public struct SampleKey: Sendable, Hashable {
    public var seed: UInt64
    public var epoch: Int
    /// In the dataset.
    public var index: Int
    /// The batch's number in its epoch.
    public var batch: Int
    /// In the batch, before unreadable images are dropped.
    public var position: Int

    public init(seed: UInt64, epoch: Int, index: Int, batch: Int = 0, position: Int = 0) {
        self.seed = seed
        self.epoch = epoch
        self.index = index
        self.batch = batch
        self.position = position
    }

    public func view(stream: Int) -> ViewKey { ViewKey(seed: seed, epoch: epoch, index: index, stream: stream) }
    /// For draws that are common to a batch, as jigsaw's subset of permutations.
    public func common(stream: Int) -> ViewKey { ViewKey(seed: seed, epoch: epoch, index: -1 - batch, stream: stream) }
}

/// What a thread keeps from one sample to the next, so that memory is allocated once.
public struct Scratch: ~Copyable {
    public let canvas = Canvas()
    public init() {}
}

/// The other images of a sample's batch.
public protocol PartnerImages {
    /// The sample `n` places further in the batch, counted round; 0 is the sample itself. nil if it cannot be read.
    func image(_ n: Int) -> PixelImage?
}

/// For a sample that is not in a batch.
public struct NoPartners: PartnerImages {
    public init() {}
    public func image(_ n: Int) -> PixelImage? { nil }
}
