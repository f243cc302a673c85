/// Inverts what is at least as bright as `threshold`, with probability `p` (BYOL, second view: 128, 0.2).
/// torchvision's `solarize` on uint8 tensors.
public struct Solarize: AugmentationStep {
    public static let name = "solarize"

    public var p = 0.2
    /// Grey level; 0 inverts everything, 256 nothing.
    public var threshold = 128

    public init() {}

    public init(p: Double, threshold: Int = 128) {
        self.p = p
        self.threshold = threshold
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case p, threshold }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.p, &p)
        try settings.read(.threshold, &threshold)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.probability(p)
        try Self.check.holds((0...256).contains(threshold), "threshold is \(threshold), but must lie in 0…256")
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p) { canvas.solarize(threshold) }
    }
}
