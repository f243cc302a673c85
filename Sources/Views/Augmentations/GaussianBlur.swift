import CPixels

/// Blurs with a Gaussian of random width, with probability `p`.
///
/// torchvision's `gaussian_blur` on uint8 tensors: edges mirrored, rounded to nearest. SimCLR and BYOL: σ uniform in
/// 0.1 … 2, a kernel as long as a tenth of the image. Where torchvision refuses a kernel that reaches over the opposite
/// edge, this one is cut to the image.
public struct GaussianBlur: AugmentationStep {
    public static let name = "gaussianBlur"

    public var p = 0.5
    /// Standard deviation in pixels.
    public var sigma: ClosedRange<Double> = 0.1...2
    /// Odd; nil for a tenth of the height, made odd and at least 3.
    public var kernelSize: Int?

    public init() {}

    public init(p: Double, sigma: ClosedRange<Double> = 0.1...2, kernelSize: Int? = nil) {
        self.p = p
        self.sigma = sigma
        self.kernelSize = kernelSize
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case p, sigma, kernelSize }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, Self.name, CodingKeys.self)
        try settings.read(.p, &p)
        try settings.read(.sigma, &sigma)
        try settings.read(.kernelSize, &kernelSize)
    }

    public func validate() throws(AugmentationError) {
        try Self.check.probability(p)
        try Self.check.holds(
            sigma.lowerBound > 0 && sigma.upperBound.isFinite, "sigma begins at \(sigma.lowerBound), but must be above 0")
        if let kernelSize {
            try Self.check.holds(kernelSize > 0 && kernelSize % 2 == 1, "kernelSize is \(kernelSize), but must be odd and positive")
        }
    }

    public func apply(to canvas: Canvas, random: inout ViewRandom) {
        let acts = random.bernoulli(p)
        let sigma = random.uniform(in: self.sigma)
        if acts { canvas.blur(sigma: sigma, radius: kernelSize.map { $0 / 2 } ?? max(1, canvas.size.height / 10 / 2)) }
    }
}

extension Canvas {
    /// - Parameter radius: The kernel has `2 · radius + 1` weights.
    func blur(sigma: Double, radius: Int) {
        var (weights, radius) = Self.gaussian(sigma: sigma, radius: min(radius, size.shorter - 1))
        if radius == 0 { return }
        let planes = self.planes()
        let scratch = workspace(pixels_blur_scratch(planes.width, planes.height, Int32(radius)))
        for channel in planes.channels {
            pixels_blur(channel, planes.stride, planes.width, planes.height, &weights, Int32(radius), scratch)
        }
    }

    /// Half of a normalised kernel in units of 2^−14 that sums to one, without the weights at its ends that vanish.
    static func gaussian(sigma: Double, radius: Int) -> (weights: [Int16], radius: Int) {
        let values = (0...radius).map { PortableMath.exp(-0.5 * (Double($0) / sigma) * (Double($0) / sigma)) }
        let sum = 2 * values.reduce(0, +) - values[0]
        var weights = values.map { Int16(($0 / sum * 16384).rounded()) }
        while weights.count > 1, weights.last == 0 { weights.removeLast() }
        weights[0] = 16384 - 2 * weights.dropFirst().reduce(0, +)
        return (weights, weights.count - 1)
    }
}
