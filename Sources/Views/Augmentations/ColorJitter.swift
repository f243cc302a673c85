/// Changes brightness, contrast, saturation and hue by random amounts in a random order, with probability `p`.
///
/// torchvision's `ColorJitter` on uint8 tensors, inside a `RandomApply`. The defaults are SimCLR's at strength 1
/// (Chen et al. 2020, appendix A: 0.8, 0.8, 0.8, 0.2, applied to 80 % of the images).
public struct ColorJitter: AugmentationStep {
    public static let name = "colorJitter"

    /// Factors are uniform in max(0, 1 − b) … 1 + b, likewise for contrast and saturation.
    public var brightness = 0.8
    public var contrast = 0.8
    public var saturation = 0.8
    /// Turns are uniform in −h … h of a full circle.
    public var hue = 0.2
    public var p = 0.8

    public init() {}

    public init(brightness: Double = 0.8, contrast: Double = 0.8, saturation: Double = 0.8, hue: Double = 0.2, p: Double = 0.8) {
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.p = p
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case brightness, contrast, saturation, hue, p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.brightness, &brightness)
        try settings.read(.contrast, &contrast)
        try settings.read(.saturation, &saturation)
        try settings.read(.hue, &hue)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) {
        for (name, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
            try Self.check.holds(value >= 0 && value.isFinite, "\(name) is \(value), but cannot be negative")
        }
        try Self.check.holds(hue >= 0 && hue <= 0.5, "hue is \(hue), but must lie in 0…0.5 (of a full circle)")
        try Self.check.probability(p)
    }

    public enum Adjustment: Int, CaseIterable, Sendable { case brightness, contrast, saturation, hue }

    /// What is done to one image.
    public struct Draw: Sendable, Equatable {
        public var order: [Adjustment]
        public var brightness, contrast, saturation, hue: Double
    }

    /// nil when the image is left alone.
    public func draw(random: inout ViewRandom) -> Draw? {
        guard random.bernoulli(p) else { return nil }
        let order = random.permutation(4).map { Adjustment(rawValue: $0)! }
        return Draw(
            order: order, brightness: Self.factor(brightness, &random), contrast: Self.factor(contrast, &random),
            saturation: Self.factor(saturation, &random), hue: random.uniform(in: -hue...hue))
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        guard let draw = draw(random: &random) else { return }
        for adjustment in draw.order {
            switch adjustment {
            case .brightness where brightness > 0: canvas.brightness(draw.brightness)
            case .contrast where contrast > 0: canvas.contrast(draw.contrast)
            case .saturation where saturation > 0: canvas.saturation(draw.saturation)
            case .hue where hue > 0: canvas.hue(draw.hue)
            default: break
            }
        }
    }

    private static func factor(_ strength: Double, _ random: inout ViewRandom) -> Double {
        random.uniform(in: max(0, 1 - strength)...1 + strength)
    }
}
