/// Turns by a random multiple of 90°, each equally likely, none included: the rotation of SimCLR's Fig. 4. Exact.
public struct Rotation: AugmentationStep {
    public static let name = "rotation"

    public var p = 1.0

    public init() {}
    public init(p: Double) { self.p = p }

    private enum CodingKeys: String, CodingKey, CaseIterable { case p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) { try Self.check.probability(p) }

    /// Of an image that is not square the size is random.
    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? { size.height == size.width ? size : nil }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let acts = random.bernoulli(p)
        let turns = random.integer(below: 4)
        if acts { canvas.quarterTurns(turns) }
    }
}

/// Turns by a fixed number of quarters of a circle, anticlockwise (`torch.rot90`): the four inputs of RotNet (Gidaris et
/// al. 2018). Exact.
public struct QuarterTurn: AugmentationStep {
    public static let name = "quarterTurn"

    public var turns = 1

    public init() {}
    public init(_ turns: Int) { self.turns = turns }

    private enum CodingKeys: String, CodingKey, CaseIterable { case turns }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.turns, &turns)
    }

    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? {
        turns % 2 == 0 ? size : ImageSize(height: size.width, width: size.height)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) { canvas.quarterTurns(turns) }
}
