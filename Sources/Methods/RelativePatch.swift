public import Backbones
public import Torch
public import Views

/// Context prediction: Unsupervised Visual Representation Learning by Context Prediction (Doersch et al. 2015, arXiv:1505.05192).
///
///     L = −log softmax( g( [f(x), f(x′)] ) )_y,  y one of the 8 places of the 3 × 3 grid around x from which x′ was cut  (section 3)
///
/// f sees patches one by one, and g both features (late fusion). What would tell the place without a look at the content is taken
/// away: a gap and moved patches against edges, a patch's own mean subtracted, and against chromatic aberration two of its colour
/// channels, or the axis from green to magenta. The representation is f of a whole image.
public final class RelativePatch: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Colours: String, Codable, Sendable, CaseIterable {
            case kept
            /// Each patch keeps one channel.
            case dropped
            /// Without green and magenta, of whole images too.
            case projected
        }

        /// The side of a patch in pixels; 3/7 of the image's when nil, which is the paper's 96 of 224.
        public var patchSide: Int?
        /// Between patches; half a patch when nil.
        public var gap: Int?
        /// Pixels by which each patch is moved at most, in both directions; 7/96 of a patch when nil.
        public var jitter: Int?
        /// Pixels of the image that patches are cut from, at least; 150,000 for patches of 96 when nil.
        public var minimumArea: Int?
        /// At most; 450,000 for patches of 96 when nil.
        public var maximumArea: Int?
        /// Neighbours of each centre, 1 to 8: the paper has one, Kolesnikov et al. (2019) all eight.
        public var pairs = 1
        public var colours = Colours.dropped
        /// Probability that a patch is made smaller and large again.
        public var pixelation = 0.2
        /// Of each patch.
        public var subtractsMean = true
        /// Of g.
        public var hiddenWidth = 4096
        /// Of g.
        public var headLayers = 3

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.within("patchSide", patchSide ?? 2, 2...1024)
            try SettingsCheck.within("gap", gap ?? 0, 0...1024)
            try SettingsCheck.within("jitter", jitter ?? 0, 0...1024)
            try SettingsCheck.positive("minimumArea", minimumArea ?? 1)
            try SettingsCheck.within("maximumArea", maximumArea ?? 1, 1...100_000_000)
            if let low = minimumArea, let high = maximumArea {
                try SettingsCheck.require(
                    low <= high, "method.maximumArea must be method.minimumArea (\(low)) or more, not \(high)")
            }
            try SettingsCheck.require((1...8).contains(pairs), "method.pairs must be 1 to 8, not \(pairs)")
            try SettingsCheck.fraction("pixelation", pixelation)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.layers("headLayers", headLayers)
        }

        /// With what is nil settled.
        func geometry(imageSize: Int) throws(SettingsError) -> RelativePatchViews.Geometry {
            let patch = patchSide ?? max(2, (3 * imageSize + 3) / 7)
            func share(_ published: Double) -> Int { Int((published / 96 * Double(patch)).rounded()) }
            func area(_ published: Double) -> Int { Int((published / 9216 * Double(patch * patch)).rounded()) }
            let (low, high) = (minimumArea ?? area(150_000), maximumArea ?? area(450_000))
            try SettingsCheck.require(
                low <= high, "method.maximumArea must be method.minimumArea (\(low)) or more, not \(high): set both or none")
            return .init(patch: patch, gap: gap ?? share(48), jitter: jitter ?? share(7), areas: low...high)
        }
    }

    public static let card = MethodCard(
        name: "relative_patch", title: "Context prediction", family: .pretext, paper: "Doersch et al. 2015, arXiv:1505.05192",
        summary: "tells where around a patch another patch was cut", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try patches(settings, imageSize: imageSize, before: nil)
    }

    /// Patches are cut from the first of the views.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        let image = views.views[0]
        return try patches(settings, imageSize: min(image.size.height, image.size.width), before: image)
    }

    private static func patches(_ settings: Settings, imageSize: Int, before: View?) throws -> any ViewMaker {
        try RelativePatchViews(
            settings.geometry(imageSize: imageSize), neighbours: settings.pairs, dropsColours: settings.colours == .dropped,
            pixelation: settings.pixelation, before: before)
    }

    public let encoder: Encoder
    /// g
    let classifier: MLP
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder(colours: settings.colours == .projected ? .withoutGreenMagenta : nil)
        let hidden = [Int](repeating: settings.hiddenWidth, count: settings.headLayers - 1)
        classifier = MLP([2 * encoder.outputWidth] + hidden + [8])
        self.settings = settings
    }

    /// The views are the centre and its neighbours.
    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let h = features(.concatenated(batch.views))
        return Self.losses(classifier(Self.pairs(h, batch.views.count)), batch.targets["position"]!)
    }

    /// f of patches, [n, 3, s, s] to [n, outputWidth].
    func features(_ patches: Tensor) -> Tensor {
        let x = encoder.input(patches)
        return encoder.backbone(settings.subtractsMean ? x - x.mean(2, 3, keep: true) : x)
    }

    /// - Parameter h: [views · n, d], the centres first.
    /// - Returns: [(views − 1) · n, 2d], each neighbour beside its centre.
    static func pairs(_ h: Tensor, _ views: Int) -> Tensor {
        let parts = h.chunks(views)
        return .concatenated(parts.dropFirst().map { .concatenated([parts[0], $0], dimension: 1) })
    }

    /// - Parameters:
    ///   - logits: [neighbours · n, 8], all images' first neighbours first.
    ///   - positions: [n, neighbours].
    static func losses(_ logits: Tensor, _ positions: Tensor) -> Losses {
        let target = positions.t.flattened().to(.int64)
        let losses: Losses = ["position": logits.crossEntropy(target)]
        return losses.measuring("position_accuracy", logits.argmax(1).equal(target).to(.float32).mean())
    }
}
