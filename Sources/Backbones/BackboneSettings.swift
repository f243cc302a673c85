/// A backbone in a recipe: which, and how it is varied.
public struct BackboneSettings: Codable, Sendable, Equatable {
    /// A name that `BackboneRegistry` knows.
    public var name = "resnet18"
    /// Channels of the first stage: 64 is the published network, 128 and 256 its 2× and 4×, less for small machines.
    public var width = 64
    /// `imagenet` or `small`; by the image size when nil (small up to 64 pixels).
    public var stem: ResNet.Stem?
    /// Starts every residual branch at zero.
    public var zeroInitResidual = false
    /// Of ResNets; batch normalisation when nil.
    public var norm: ResNet.Norm?
    /// Networks side by side, each of its share of the width, for so many channels of the image each: CMC's [1, 2] for lightness
    /// and colours. One for all when nil.
    public var channels: [Int]?

    public init(_ name: String = "resnet18", width: Int = 64, stem: ResNet.Stem? = nil, zeroInitResidual: Bool = false) {
        self.name = name
        self.width = width
        self.stem = stem
        self.zeroInitResidual = zeroInitResidual
    }
}
