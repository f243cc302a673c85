public import Backbones
internal import Embeddings
public import Torch
public import Views

/// BoWNet: Learning Representations by Predicting Bags of Visual Words (Gidaris et al. 2020, arXiv:2002.12247).
///
///     V ← k-means of the places of a frozen teacher's feature map Φ̂, over all images                      (section 3.1)
///     y = how often each word is the nearest to a place of Φ̂(x), as shares                                (eq. 1)
///     L = cross-entropy( y, softmax( γ·W̄ Φ(x̃) ) ),   x̃ the image, changed; W̄ of unit rows, γ learned     (eq. 2–3)
///
/// With CutMix, x̃ has a box of another image, and y its share of that one's words (section 3.3). The teacher is the encoder of
/// another run, RotNet's in the paper; a student may be the next student's teacher. Border places, which see the padding, are left
/// out of maps of more than four places a side.
public final class BoWNet: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// The run, or the encoder file, whose words are predicted.
        public var teacher = ""
        /// The teacher's layer.
        public var level = "layer3"
        /// K
        public var words = 2048
        public var clusterIterations = 30
        /// Places of each image that the vocabulary is made of, drawn at random.
        public var placesPerImage = 16
        /// γ at first.
        public var initialScale = 10.0
        /// Probability of CutMix for a batch.
        public var cutMix = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.several("words", words)
            try SettingsCheck.positive("clusterIterations", clusterIterations)
            try SettingsCheck.positive("placesPerImage", placesPerImage)
            try SettingsCheck.positive("initialScale", initialScale)
            try SettingsCheck.fraction("cutMix", cutMix)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.words = FewImages.groups(words, count * placesPerImage)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "bownet", title: "BoWNet", family: .teacherStudent, paper: "Gidaris et al. 2020, arXiv:2002.12247",
        summary: "a changed image tells which visual words another, finished network sees in it",
        needs: "a teacher: another run (--teacher RUN)", leastBatch: 2, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.bowNet(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    /// W
    let prototypes: Prototypes
    /// γ
    let scale: Parameter
    /// Φ̂
    let teacher: Encoder
    /// V, [K, c]
    let vocabulary: Buffer
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        guard !settings.teacher.isEmpty else {
            throw SettingsError("BoWNet needs a teacher: pretrain another method first, RotNet say, and give its run by --teacher RUN")
        }
        try SettingsCheck.among("words", settings.words, context.sampleCount * settings.placesPerImage, of: "places of images")
        encoder = try context.makeEncoder()
        prototypes = Prototypes(settings.words, width: encoder.outputWidth)
        scale = Parameter(.full([1], settings.initialScale))
        teacher = try Self.readTeacher(settings.teacher)
        vocabulary = Buffer(.zeros([settings.words, try teacher.mapWidths(at: [settings.level], "level")[0]]))
        self.settings = settings
        super.init()
        teacher.setTrainable(false)
    }

    private static func readTeacher(_ path: String) throws -> Encoder {
        do {
            return try EncoderFile.read(path.hasSuffix(".safetensors") ? path : "\(path)/encoder.safetensors")
        } catch {
            throw SettingsError("--teacher \(path) is no run that has ended, nor an encoder file: \(error)")
        }
    }

    /// Whatever the rest does, the teacher stays as it is, its batch normalisation too.
    private func places(_ pixels: Tensor) -> Tensor {
        teacher.evaluating { withoutGradients { Self.inner(teacher.maps(pixels, at: [settings.level])[0].precise) } }
    }

    /// A map's places without those that see the padding: [n, c, h, w] to [n, places, c].
    static func inner(_ map: Tensor) -> Tensor { OBoW.withoutBorder(map).flattened(from: 2).transposed(1, 2) }

    public func prepareRun(_ services: any RunServices) throws {
        let width = vocabulary.value.size(1)
        let features = try services.features { pixels in
            let all = places(pixels)
            let chosen = (Tensor.rand([all.size(0), settings.placesPerImage], .float64) * Double(all.size(1))).to(.int64).to(all.device)
            return all.gathered(1, chosen.unsqueezed(2).expanded([all.size(0), settings.placesPerImage, width]))
        }
        let rows = features.reshaped(-1, width)
        // Fewer than were promised where images cannot be read.
        try SettingsCheck.among("words", settings.words, rows.size(0), of: "places of images")
        var means = KMeans(clusters: settings.words)
        (means.iterations, means.seeding) = (settings.clusterIterations, .rows)
        vocabulary.set(try means.fit(rows).centroids.to(vocabulary.value.device))
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        var bags = Self.bags(places(batch.views[0]), vocabulary.value)
        var pixels = batch.views[1]
        if Tensor.rand([1], .float64).item < settings.cutMix {
            let order = Tensor.randomPermutation(batch.count).to(pixels.device)
            let (mixed, share) = Self.cutMix(pixels, with: pixels.rows(order))
            (pixels, bags) = (mixed, bags * share + bags.rows(order) * (1 - share))
        }
        let logits = prototypes.normalizedScores(encoder(pixels)).precise * scale.value
        let losses: Losses = ["words": logits.crossEntropy(bags)]
        let entropy = -(bags * bags.clamped(1e-30).log()).sum(1)
        return losses.measuring("words_per_image", entropy.exp().mean())
    }

    /// y: [n, places, c] and [K, c] to [n, K], rows that sum to 1.
    static func bags(_ places: Tensor, _ words: Tensor) -> Tensor {
        let scores = 2 * places.matmul(words.t) - words.squared().sum(1)
        return scores.argmax(2).oneHot(words.size(0)).to(places.dataType).mean(1)
    }

    /// Both images' pixels, the second's in a random box of a share 1 − λ of the area, λ uniform (Yun et al. 2019,
    /// arXiv:1905.04899), the same for the batch; and the share of the first that is left.
    static func cutMix(_ pixels: Tensor, with others: Tensor) -> (pixels: Tensor, share: Double) {
        let (height, width) = (pixels.size(2), pixels.size(3))
        let draws = Tensor.rand([3], .float64).values(Double.self)
        let side = (1 - draws[0]).squareRoot()
        func span(_ middle: Double, _ length: Int) -> (from: Int, count: Int) {
            let (centre, half) = (middle * Double(length), side * Double(length) / 2)
            let low = Swift.max(0, Int(centre - half))
            return (low, Swift.min(length, Int(centre + half)) - low)
        }
        let (rows, columns) = (span(draws[1], height), span(draws[2], width))
        guard rows.count > 0, columns.count > 0 else { return (pixels, 1) }
        let mixed = pixels.cloned()
        func box(_ x: Tensor) -> Tensor {
            x.narrowed(2, from: rows.from, count: rows.count).narrowed(3, from: columns.from, count: columns.count)
        }
        box(mixed).copyInPlace(box(others))
        return (mixed, 1 - Double(rows.count * columns.count) / Double(height * width))
    }

    public var projector: Module? { prototypes }
}
