import CPixels

/// Replaces each channel by the size of its gradient, √(gx² + gy²) of the 3 × 3 Sobel filters, cut at 255, edges mirrored
/// (as `tf.image.sobel_edges`), with probability `p` (SimCLR, Fig. 4).
public struct Sobel: AugmentationStep {
    public static let name = "sobel"

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
        if random.bernoulli(p) { canvas.sobel() }
    }
}

extension Canvas {
    func sobel() {
        if size.shorter < 2 { return }
        redraw(to: size) { from, to in
            for (source, destination) in zip(from.channels, to.channels) {
                pixels_sobel(source, from.stride, from.width, from.height, destination)
            }
        }
    }
}
