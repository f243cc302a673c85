/// The published constants of each corruption by severity: ImageNet-C's for 224 px, Tiny ImageNet-C's for 64 px and
/// CIFAR-10-C's for 32 px.
public struct CorruptionTable: Sendable {
    public let name: String
    /// Standard deviations, as shares of the full range.
    var gaussianNoise: [Double]
    /// Photons of a white pixel.
    var shotNoise: [Double]
    /// Shares of the values.
    var impulseNoise: [Double]
    var speckleNoise: [Double]
    /// σ in pixels.
    var gaussianBlur: [Double]
    /// σ, the farthest that pixels move, rounds.
    var glassBlur: [Glass]
    /// Radius and the σ that smooths the disk's rim.
    var defocusBlur: [(radius: Double, rim: Double)]
    var motionBlur: [(radius: Int, sigma: Double)]
    /// Zoom factors from 1 to before `end`.
    var zoomBlur: [(end: Double, step: Double)]
    var snow: [Snow]
    /// Shares of the image and of the frost.
    var frost: [(image: Double, frost: Double)]
    var fog: [(thickness: Double, decay: Double)]
    var spatter: [Spatter]
    var brightness: [Double]
    var contrast: [Double]
    var saturate: [(factor: Double, shift: Double)]
    /// Shares of the sides.
    var pixelate: [Double]
    var jpegCompression: [Int]
    /// α, σ and the corners' farthest move, all in pixels.
    var elasticTransform: [Elastic]

    struct Glass: Sendable { var sigma: Double, reach: Int, rounds: Int }
    struct Snow: Sendable { var mean: Double, std: Double, zoom: Double, threshold: Double, radius: Int, sigma: Double, clear: Double }
    struct Spatter: Sendable { var mean: Double, std: Double, sigma: Double, threshold: Double, strength: Double, isMud: Bool }
    struct Elastic: Sendable { var alpha: Double, sigma: Double, affine: Double }

    /// The table whose images are nearest in size, counted in octaves.
    public init(size: ImageSize) {
        let side = min(size.height, size.width)
        self = side < 46 ? .cifar : side < 120 ? .tinyImageNet : .imageNet
    }

    public static let imageNet = CorruptionTable(
        name: "ImageNet-C",
        gaussianNoise: [0.08, 0.12, 0.18, 0.26, 0.38], shotNoise: [60, 25, 12, 5, 3], impulseNoise: [0.03, 0.06, 0.09, 0.17, 0.27],
        speckleNoise: [0.15, 0.2, 0.35, 0.45, 0.6], gaussianBlur: [1, 2, 3, 4, 6],
        glassBlur: glass([(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)]),
        defocusBlur: [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
        motionBlur: [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)],
        zoomBlur: [(1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)],
        snow: snow([
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8), (0.2, 0.3, 2, 0.5, 12, 4, 0.7), (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65), (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ]),
        frost: [(1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)],
        fog: [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)],
        spatter: spatter([
            (0.65, 0.3, 4, 0.69, 0.6, false), (0.65, 0.3, 3, 0.68, 0.6, false), (0.65, 0.3, 2, 0.68, 0.5, false),
            (0.65, 0.3, 1, 0.65, 1.5, true), (0.67, 0.4, 1, 0.65, 1.5, true),
        ]),
        brightness: [0.1, 0.2, 0.3, 0.4, 0.5], contrast: [0.4, 0.3, 0.2, 0.1, 0.05],
        saturate: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)], pixelate: [0.6, 0.5, 0.4, 0.3, 0.25],
        jpegCompression: [25, 18, 15, 10, 7],
        // The authors' side is 244.
        elasticTransform: elastic(244, [(2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)]))

    public static let tinyImageNet = CorruptionTable(
        name: "Tiny ImageNet-C",
        gaussianNoise: [0.04, 0.08, 0.12, 0.15, 0.18], shotNoise: [250, 100, 50, 30, 15], impulseNoise: [0.01, 0.02, 0.05, 0.08, 0.14],
        speckleNoise: [0.15, 0.2, 0.25, 0.3, 0.35], gaussianBlur: [0.5, 0.75, 1, 1.25, 1.5],
        glassBlur: glass([(0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)]),
        defocusBlur: [(0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)],
        motionBlur: [(10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)],
        zoomBlur: [(1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)],
        snow: snow([
            (0.1, 0.2, 1, 0.6, 8, 3, 0.8), (0.1, 0.2, 1, 0.5, 10, 4, 0.8), (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65), (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ]),
        frost: [(1, 0.3), (0.9, 0.4), (0.8, 0.45), (0.75, 0.5), (0.7, 0.55)],
        fog: [(0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)],
        spatter: spatter([
            (0.62, 0.1, 0.7, 0.7, 0.6, false), (0.65, 0.1, 0.8, 0.7, 0.6, false), (0.65, 0.3, 1, 0.69, 0.6, false),
            (0.65, 0.1, 0.7, 0.68, 0.6, true), (0.65, 0.1, 0.5, 0.67, 0.6, true),
        ]),
        brightness: [0.1, 0.2, 0.3, 0.4, 0.5], contrast: [0.4, 0.3, 0.2, 0.1, 0.05],
        saturate: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)], pixelate: [0.9, 0.8, 0.7, 0.6, 0.5],
        jpegCompression: [65, 58, 50, 40, 25],
        elasticTransform: elastic(64, [(0, 0, 0.08), (0.05, 0.3, 0.06), (0.1, 0.08, 0.06), (0.1, 0.03, 0.03), (0.16, 0.03, 0.02)]))

    public static let cifar = CorruptionTable(
        name: "CIFAR-10-C",
        gaussianNoise: [0.04, 0.06, 0.08, 0.09, 0.1], shotNoise: [500, 250, 100, 75, 50], impulseNoise: [0.01, 0.02, 0.03, 0.05, 0.07],
        speckleNoise: [0.06, 0.1, 0.12, 0.16, 0.2], gaussianBlur: [0.4, 0.6, 0.7, 0.8, 1],
        glassBlur: glass([(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)]),
        defocusBlur: [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
        motionBlur: [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
        zoomBlur: [(1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)],
        snow: snow([
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95), (0.1, 0.2, 1, 0.5, 10, 4, 0.9), (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85), (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ]),
        frost: [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
        fog: [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)],
        spatter: spatter([
            (0.62, 0.1, 0.7, 0.7, 0.5, false), (0.65, 0.1, 0.8, 0.7, 0.5, false), (0.65, 0.3, 1, 0.69, 0.5, false),
            (0.65, 0.1, 0.7, 0.69, 0.6, true), (0.65, 0.1, 0.5, 0.68, 0.6, true),
        ]),
        brightness: [0.05, 0.1, 0.15, 0.2, 0.3], contrast: [0.75, 0.5, 0.4, 0.3, 0.15],
        saturate: [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)], pixelate: [0.95, 0.9, 0.85, 0.75, 0.65],
        jpegCompression: [80, 65, 58, 50, 40],
        elasticTransform: elastic(32, [(0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)]))
}

extension CorruptionTable {
    // Memberwise, which a struct with another initialiser does not get for free.
    private init(
        name: String, gaussianNoise: [Double], shotNoise: [Double], impulseNoise: [Double], speckleNoise: [Double], gaussianBlur: [Double],
        glassBlur: [Glass], defocusBlur: [(Double, Double)], motionBlur: [(Int, Double)], zoomBlur: [(Double, Double)], snow: [Snow],
        frost: [(Double, Double)], fog: [(Double, Double)], spatter: [Spatter], brightness: [Double], contrast: [Double],
        saturate: [(Double, Double)], pixelate: [Double], jpegCompression: [Int], elasticTransform: [Elastic]
    ) {
        self.name = name
        self.gaussianNoise = gaussianNoise
        self.shotNoise = shotNoise
        self.impulseNoise = impulseNoise
        self.speckleNoise = speckleNoise
        self.gaussianBlur = gaussianBlur
        self.glassBlur = glassBlur
        self.defocusBlur = defocusBlur.map { (radius: $0.0, rim: $0.1) }
        self.motionBlur = motionBlur.map { (radius: $0.0, sigma: $0.1) }
        self.zoomBlur = zoomBlur.map { (end: $0.0, step: $0.1) }
        self.snow = snow
        self.frost = frost.map { (image: $0.0, frost: $0.1) }
        self.fog = fog.map { (thickness: $0.0, decay: $0.1) }
        self.spatter = spatter
        self.brightness = brightness
        self.contrast = contrast
        self.saturate = saturate.map { (factor: $0.0, shift: $0.1) }
        self.pixelate = pixelate
        self.jpegCompression = jpegCompression
        self.elasticTransform = elasticTransform
    }

    private static func glass(_ rows: [(Double, Int, Int)]) -> [Glass] { rows.map { Glass(sigma: $0.0, reach: $0.1, rounds: $0.2) } }

    private static func snow(_ rows: [(Double, Double, Double, Double, Int, Double, Double)]) -> [Snow] {
        rows.map { Snow(mean: $0.0, std: $0.1, zoom: $0.2, threshold: $0.3, radius: $0.4, sigma: $0.5, clear: $0.6) }
    }

    private static func spatter(_ rows: [(Double, Double, Double, Double, Double, Bool)]) -> [Spatter] {
        rows.map { Spatter(mean: $0.0, std: $0.1, sigma: $0.2, threshold: $0.3, strength: $0.4, isMud: $0.5) }
    }

    private static func elastic(_ side: Double, _ rows: [(Double, Double, Double)]) -> [Elastic] {
        rows.map { Elastic(alpha: side * $0.0, sigma: side * $0.1, affine: side * $0.2) }
    }
}
