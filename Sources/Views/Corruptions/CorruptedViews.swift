/// The view of the evaluation protocol, corrupted after it was brought to its size.
public struct CorruptedViews: ViewMaker {
    public let corruption: Corruption
    public let severity: Int
    public let table: CorruptionTable
    private let clean: ViewRecipe

    /// - Parameter severity: 1 … 5.
    public init(_ corruption: Corruption, severity: Int, size: ImageSize) throws(AugmentationError) {
        self.corruption = corruption
        self.severity = severity
        table = CorruptionTable(size: size)
        clean = try .evaluation(size: size)
    }

    public var outputs: [OutputSpec] { clean.outputs }
    public var decodeTarget: Int? { clean.decodeTarget }

    public func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch
    ) {
        clean.make(image, key: key, partners: partners, into: outputs, scratch: &scratch)
        let size = clean.outputs[0].imageSize!
        let bytes = outputs.bytes(0)
        let view = PixelImage(width: size.width, height: size.height, pixels: Array(bytes))
        bytes.copyBytes(from: corruption.apply(to: view, severity: severity, table: table, key: key.view(stream: 0)).pixels)
    }
}
