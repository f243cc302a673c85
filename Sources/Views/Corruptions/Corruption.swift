/// The corruptions of ImageNet-C and CIFAR-10-C (Hendrycks & Dietterich 2019, arXiv:1903.12261), made on the fly: 15 that
/// the benchmark averages over and 4 extra ones, in five severities each.
///
/// A corruption is a pure function of pixels, table, severity and key. Values are cut off, not rounded, as the published
/// images' were. Two things differ from those images: the published ones were stored as JPEG once more (ImageNet-C alone),
/// and their motion blur is ImageMagick's, for which its formula stands here.
public enum Corruption: String, CaseIterable, Sendable, Codable {
    case gaussianNoise = "gaussian-noise"
    case shotNoise = "shot-noise"
    case impulseNoise = "impulse-noise"
    case defocusBlur = "defocus-blur"
    case glassBlur = "glass-blur"
    case motionBlur = "motion-blur"
    case zoomBlur = "zoom-blur"
    case snow, frost, fog, brightness, contrast
    case elasticTransform = "elastic-transform"
    case pixelate
    case jpegCompression = "jpeg-compression"
    case speckleNoise = "speckle-noise"
    case gaussianBlur = "gaussian-blur"
    case spatter, saturate

    public enum Family: String, CaseIterable, Sendable, Codable {
        case noise, blur, weather, digital, extra
    }

    public static let severities = 1...5

    /// As the paper groups them; the extra ones were meant for choosing settings.
    public var family: Family {
        switch self {
        case .gaussianNoise, .shotNoise, .impulseNoise: .noise
        case .defocusBlur, .glassBlur, .motionBlur, .zoomBlur: .blur
        case .snow, .frost, .fog, .brightness: .weather
        case .contrast, .elasticTransform, .pixelate, .jpegCompression: .digital
        case .speckleNoise, .gaussianBlur, .spatter, .saturate: .extra
        }
    }

    /// Whether numbers may be held against published ones. Frost is laid over from six photographs; ours is computed.
    public var isComparable: Bool { self != .frost }

    /// The corrupted image, of the same size.
    /// - Parameters:
    ///   - severity: 1 … 5.
    ///   - table: the constants; by the image's size when nil.
    ///   - key: what chance depends on. Corruptions of one key draw different numbers.
    public func apply(to image: PixelImage, severity: Int, table: CorruptionTable? = nil, key: ViewKey) -> PixelImage {
        precondition(Self.severities.contains(severity), "a severity is 1 … 5, not \(severity)")
        let place = Self.allCases.firstIndex(of: self)!
        var random = key.random(step: place * Self.severities.upperBound + severity)
        let table = table ?? CorruptionTable(size: ImageSize(height: image.height, width: image.width))
        return apply(to: image, severity: severity, table, &random)
    }

    func apply(to image: PixelImage, severity: Int, _ table: CorruptionTable, _ random: inout some CorruptionRandom) -> PixelImage {
        let place = severity - 1
        let x = FloatImage(image)
        switch self {
        case .gaussianNoise: return x.gaussianNoise(std: table.gaussianNoise[place], &random).pixels
        case .shotNoise: return image.shotNoise(photons: table.shotNoise[place], &random)
        case .impulseNoise: return x.impulseNoise(amount: table.impulseNoise[place], &random).pixels
        case .speckleNoise: return x.speckleNoise(std: table.speckleNoise[place], &random).pixels
        case .gaussianBlur: return x.gaussian(sigma: table.gaussianBlur[place]).pixels
        case .glassBlur: return x.glassBlur(table.glassBlur[place], &random).pixels
        case .defocusBlur: return x.defocusBlur(table.defocusBlur[place]).pixels
        case .motionBlur:
            let (radius, sigma) = table.motionBlur[place]
            return x.motionBlur(radius: radius, sigma: sigma, degrees: random.uniform(-45, 45)).pixels
        case .zoomBlur: return x.zoomBlur(table.zoomBlur[place]).pixels
        case .snow: return x.snow(table.snow[place], &random).pixels
        case .frost: return x.frost(table.frost[place], &random).pixels
        case .fog: return x.fog(table.fog[place], &random).pixels
        case .spatter: return x.spatter(table.spatter[place], &random).pixels
        case .brightness: return x.brightness(adding: table.brightness[place]).pixels
        case .contrast: return x.contrast(factor: table.contrast[place]).pixels
        case .saturate: return x.saturation(factor: table.saturate[place].factor, adding: table.saturate[place].shift).pixels
        case .elasticTransform: return x.elasticTransform(table.elasticTransform[place], &random).pixels
        case .pixelate: return image.pixelated(share: table.pixelate[place])
        case .jpegCompression: return image.compressed(quality: table.jpegCompression[place])
        }
    }
}
