/// Lateral chromatic aberration, put on: green is drawn towards the image's centre, as of a lens that bends it more than red and blue
/// (what Doersch et al. 2015, section 3.1, found networks to tell a patch's place by). For tests of that shortcut.
public struct ChromaticAberration: AugmentationStep {
    public static let name = "chromaticAberration"

    /// By what share of its distance from the centre a green pixel moves towards it; negative for away.
    public var strength = 0.02
    public var p = 1.0

    public init() {}
    public init(strength: Double, p: Double = 1) {
        self.strength = strength
        self.p = p
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case strength, p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.strength, &strength)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.probability(p)
        try Self.check.holds(abs(strength) <= 0.5, "strength is \(strength), but must lie in -0.5…0.5")
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        if random.bernoulli(p), strength != 0 { canvas.scaleGreen(by: 1 - strength) }
    }
}

extension Canvas {
    /// Scales the green channel about the image's centre, bilinearly; at the edges its last pixels are repeated.
    func scaleGreen(by scale: Double) {
        /// The two pixels that each is between, and the second's weight.
        func taps(_ count: Int) -> [(Int, Int, Double)] {
            (0..<count).map { place in
                let middle = Double(count - 1) / 2
                let source = min(Double(count - 1), max(0, middle + (Double(place) - middle) / scale))
                let low = Int(source)
                return (low, min(count - 1, low + 1), source - Double(low))
            }
        }
        let (rows, columns) = (taps(size.height), taps(size.width))
        redraw(to: size) { from, to in
            to.red.update(from: from.red, count: 3 * from.plane)
            let (source, target) = (from.channels[1], to.channels[1])
            for (y, (top, bottom, down)) in rows.enumerated() {
                let (upper, lower) = (source + top * from.stride, source + bottom * from.stride)
                for (x, (left, right, across)) in columns.enumerated() {
                    let above = Double(upper[left]) * (1 - across) + Double(upper[right]) * across
                    let below = Double(lower[left]) * (1 - across) + Double(lower[right]) * across
                    target[y * to.stride + x] = UInt8((above * (1 - down) + below * down).rounded())
                }
            }
        }
    }
}
