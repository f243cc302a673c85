/// Keeps the highest `bits` bits of every value, with probability `p`. torchvision's `posterize` on uint8 tensors.
public struct Posterize: AugmentationStep {
    public static let name = "posterize"

    public var bits = 4
    public var p = 0.5

    public init() {}

    public init(bits: Int, p: Double) {
        self.bits = bits
        self.p = p
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case bits, p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.bits, &bits)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.holds((1...8).contains(bits), "bits is \(bits), but must lie in 1…8")
        try Self.check.probability(p)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p) { canvas.posterize(bits) }
    }
}
