/// Mirrors left and right with probability `p`.
public struct HorizontalFlip: AugmentationStep {
    public static let name = "horizontalFlip"

    public var p = 0.5

    public init() {}
    public init(p: Double) { self.p = p }

    private enum CodingKeys: String, CodingKey, CaseIterable { case p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) { try Self.check.probability(p) }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p) { canvas.mirror() }
    }
}
