/// Replaces colours by their grey value in all three channels, with probability `p` (SimCLR: 0.2).
///
/// torchvision's `rgb_to_grayscale` on uint8 tensors: 0.2989 R + 0.587 G + 0.114 B (ITU-R 601), rounded down.
public struct Grayscale: AugmentationStep {
    public static let name = "grayscale"

    public var p = 0.2

    public init() {}
    public init(p: Double) { self.p = p }

    private enum CodingKeys: String, CodingKey, CaseIterable { case p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) { try Self.check.probability(p) }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p) { canvas.grayscale() }
    }
}
