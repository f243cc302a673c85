/// Covers a square with grey level `fill`, with probability `p` (DeVries & Taylor 2017). Its centre is anywhere in the
/// image, so that a part of the square may fall outside.
public struct Cutout: AugmentationStep {
    public static let name = "cutout"

    /// The square's side as a share of the image's shorter side.
    public var fraction = 0.5
    /// The square's side in pixels, instead of `fraction`.
    public var size: Int?
    public var fill: UInt8 = 0
    public var p = 1.0

    public init() {}

    public init(fraction: Double, fill: UInt8 = 0, p: Double = 1) {
        self.fraction = fraction
        self.fill = fill
        self.p = p
    }

    public init(size: Int, fill: UInt8 = 0, p: Double = 1) {
        self.size = size
        self.fill = fill
        self.p = p
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case fraction, size, fill, p }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.fraction, &fraction)
        try settings.read(.size, &size)
        try settings.read(.fill, &fill)
        try settings.read(.p, &p)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.holds(fraction > 0 && fraction <= 2, "fraction is \(fraction), but must lie above 0 and at most at 2")
        if let size { try Self.check.holds(size > 0, "size is \(size), but must be at least 1") }
        try Self.check.probability(p)
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let acts = random.bernoulli(p)
        let (height, width) = (canvas.size.height, canvas.size.width)
        let side = size ?? max(1, Int((fraction * Double(canvas.size.shorter)).rounded()))
        let top = random.integer(below: height) - side / 2
        let left = random.integer(below: width) - side / 2
        if acts { canvas.fill(PixelBox(x: left, y: top, width: side, height: side), fill) }
    }
}

extension Canvas {
    /// Fills what of `box` lies inside the image.
    func fill(_ box: PixelBox, _ value: UInt8) {
        let planes = self.planes()
        let columns = min(max(0, box.x), size.width)..<min(max(0, box.x + box.width), size.width)
        let rows = min(max(0, box.y), size.height)..<min(max(0, box.y + box.height), size.height)
        for channel in planes.channels {
            for y in rows { (channel + y * planes.stride + columns.lowerBound).update(repeating: value, count: columns.count) }
        }
    }
}
