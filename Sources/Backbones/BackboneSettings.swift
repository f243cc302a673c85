/// A backbone in a recipe: which, and how it is varied. What is nil has the published value; what is no setting of a backbone
/// must be nil.
public struct BackboneSettings: Codable, Sendable, Equatable {
    /// A name that `BackboneRegistry` knows.
    public var name = "resnet18"
    /// Channels of a ResNet's first stage, or of each head of a transformer: 64 is the published network, 128 and 256 its 2× and
    /// 4×, less for small machines.
    public var width = 64
    /// Of convolutional networks: `imagenet` or `small`; by the image size when nil (small up to 64 pixels).
    public var stem: ResNet.Stem?
    /// Of AlexNet and VGG: whether fc6 and fc7 follow conv5, as published; with the `imagenet` stem when nil. Methods that fill in or
    /// colour images need maps, and end with conv5.
    public var connected: Bool?
    /// Starts every residual branch of a ResNet at zero.
    public var zeroInitResidual = false
    /// Of ResNets; batch normalisation when nil.
    public var norm: ResNet.Norm?
    /// Of ResNets, AlexNet and VGG. Networks side by side, each of its share of the width, for so many channels of the image each: CMC's [1, 2] for lightness
    /// and colours. [1] is one network for images of one channel. One for all three when nil.
    public var channels: [Int]?
    /// Of transformers: the side of a patch in pixels; by the image size when nil (4 up to 64 pixels, else 16).
    public var patchSize: Int?
    /// Of transformers: blocks.
    public var depth: Int?
    /// Of transformers: what becomes the representation; the class token when nil.
    public var pooling: VisionTransformer.Pooling?
    /// Of transformers; learned when nil.
    public var positions: VisionTransformer.Positions?
    /// Of transformers: leaves the projection of patches as it is drawn (MoCo v3).
    public var freezesProjection: Bool?
    /// Of transformers: the probability of leaving out the last block's parts, in proportion for those before.
    public var dropPath: Double?

    public init(_ name: String = "resnet18", width: Int = 64, stem: ResNet.Stem? = nil, zeroInitResidual: Bool = false) {
        self.name = name
        self.width = width
        self.stem = stem
        self.zeroInitResidual = zeroInitResidual
    }
}
