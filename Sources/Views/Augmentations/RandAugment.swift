/// Applies `operations` operations, each drawn at random from all, all at one magnitude (Cubuk et al. 2019). torchvision's
/// `RandAugment`.
public struct RandAugment: AugmentationStep {
    public static let name = "randAugment"

    /// N of the paper.
    public var operations = 2
    /// M of the paper, on a scale of 0 … `bins` − 1.
    public var magnitude = 9
    public var bins = 31
    public var fill: UInt8 = 0

    public init() {}

    public init(operations: Int, magnitude: Int, bins: Int = 31, fill: UInt8 = 0) {
        self.operations = operations
        self.magnitude = magnitude
        self.bins = bins
        self.fill = fill
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case operations, magnitude, bins, fill }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.operations, &operations)
        try settings.read(.magnitude, &magnitude)
        try settings.read(.bins, &bins)
        try settings.read(.fill, &fill)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.holds(operations >= 0, "operations is \(operations), but cannot be negative")
        try Self.check.holds(bins >= 2, "bins is \(bins), but must be at least 2")
        try Self.check.holds((0..<bins).contains(magnitude), "magnitude is \(magnitude), but must lie in 0…\(bins - 1) (bins − 1)")
    }

    /// What is done to one image of size `size`.
    public func draw(size: ImageSize, random: inout ViewRandom) -> [(operation: PolicyOperation, magnitude: Double)] {
        let choice = PolicyOperation.allCases.filter { $0 != .invert }
        return (0..<operations).map { _ in
            let operation = choice[random.integer(below: choice.count)]
            let negative = random.bernoulli(0.5) && operation.isSigned
            let magnitude = operation.magnitude(bin: magnitude, of: bins, size: size)
            return (operation, negative ? -magnitude : magnitude)
        }
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        for (operation, magnitude) in draw(size: canvas.size, random: &random) {
            operation.apply(to: canvas, magnitude: magnitude, fill: fill)
        }
    }
}
