public import Backbones
internal import Foundation
public import Torch
public import Views

/// OBoW: Online Bag-of-Visual-Words Generation for Unsupervised Representation Learning (Gidaris et al. 2021, arXiv:2012.11552).
///
///     y_k ∝ max over places u of softmax_k( −‖T(x)_u − v_k‖² · δ⁻¹/d̄ )      (eq. 1–3), T the teacher's feature map, Σ y_k = 1
///     p = softmax( κ·G(v)ᵀ S(x′) )                                         (eq. 5–6), S the student, x′ crops of the image
///     L = KL(y ‖ p), the mean over levels and over crops of a size, summed over sizes
///
/// The vocabulary v is a queue: one local average of each image's feature map enters at every step, the oldest words leave. d̄
/// follows the distance of features to their nearest words. G makes each word's classifier weights from the word itself, because
/// words come and go. The teacher is the student's moving average; two levels of it have vocabularies of their own.
public final class OBoW: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Words of each vocabulary.
        public var words = 8192
        /// Layers of the backbone, each with a vocabulary.
        public var levels = ["layer3", "layer4"]
        /// δ⁻¹
        public var inverseDelta = 15.0
        /// κ
        public var kappa = 8.0
        public var teacherDecay = Schedule.cosine(from: 0.99, to: 1)
        /// Crops of 5/7 of the side, for the student.
        public var largeViews = 2
        /// And of 3/7.
        public var smallViews = 5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.several("words", words)
            try SettingsCheck.require(!levels.isEmpty, "method.levels is empty: name layers of the backbone, such as layer4")
            try SettingsCheck.positive("inverseDelta", inverseDelta)
            try SettingsCheck.positive("kappa", kappa)
            try SettingsCheck.fraction("teacherDecay", teacherDecay)
            try SettingsCheck.positive("largeViews", largeViews)
            try SettingsCheck.notNegative("smallViews", smallViews)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.words = FewImages.groups(words, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "obow", title: "OBoW", family: .teacherStudent, paper: "Gidaris et al. 2021, arXiv:2012.11552",
        summary: "crops of an image tell which visual words its moving average sees in the whole", needs: "a second network, a queue",
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.obow(
            size: ImageSize(imageSize), largeSize: ImageSize(Swift.max(8, Int((Double(imageSize) * 160 / 224).rounded()))),
            largeViews: settings.largeViews, smallSize: ImageSize(MultiCrop.smallSide(imageSize)), smallViews: settings.smallViews)
    }

    /// S
    let student: ProjectedEncoder
    /// G, of each level.
    let generators: [MLP]
    /// T
    let teacher: Encoder
    /// v, of each level.
    let vocabularies: [Queue]
    /// d̄, [levels]
    let distances: Buffer
    private let settings: Settings
    private var newest: (words: [Tensor], distances: Tensor)?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let widths = try encoder.mapWidths(at: settings.levels)
        student = ProjectedEncoder(encoder, Activation.identity)
        let other = try context.makeEncoder()
        teacher = other
        let hidden = 2 * encoder.outputWidth
        generators = widths.map { MLP([$0, hidden, encoder.outputWidth]) }
        vocabularies = widths.map { Queue(length: settings.words, width: $0) }
        distances = Buffer(.zeros([widths.count]))
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    private static func maps(_ encoder: Encoder, _ pixels: Tensor, _ levels: [String]) -> [Tensor] {
        encoder.maps(pixels, at: levels).map { withoutBorder($0.precise) }
    }

    /// The border sees the padding; a map of up to four places a side has nothing else.
    static func withoutBorder(_ map: Tensor) -> Tensor {
        map.size(2) > 4 ? map.narrowed(2, from: 1, count: map.size(2) - 2).narrowed(3, from: 1, count: map.size(3) - 2) : map
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let before = distances.value
        // A plain mean until it is as old as the moving average remembers.
        let weight = 1 / Double(Swift.min(step.index + 1, 100))
        let (targets, images, updated) = withoutGradients {
            var (targets, images, updated): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
            for (level, map) in Self.maps(teacher, batch.views[0], settings.levels).enumerated() {
                let squared = fullPrecision(on: map.device) { Self.squaredDistances(map, vocabularies[level].rows) }
                let mean = before[level] * (1 - weight) + squared.min(2).mean() * weight
                targets.append(Self.bag(squared, scale: settings.inverseDelta / mean))
                images.append(Self.localAverages(map))
                updated.append(mean)
            }
            return (targets, images, Tensor.stacked(updated))
        }
        newest = (images, updated)
        let weights = zip(generators, vocabularies).map { $0($1.rows.normalized()).precise.normalized() }
        var bySize: [(shape: [Int], terms: [Tensor])] = []
        let views = Array(batch.views.dropFirst())
        for (view, h) in zip(views, student.together(views)) {
            let terms = zip(targets, weights).map { Self.divergence(h.precise, $1, from: $0, kappa: settings.kappa) }
            if bySize.last?.shape == view.shape {
                bySize[bySize.count - 1].terms += terms
            } else {
                bySize.append((view.shape, terms))
            }
        }
        var losses: Losses = [:]
        losses.parts = bySize.map { ("words_\($0.shape[3])", Tensor.stacked($0.terms).mean()) }
        let last = targets[targets.count - 1]
        let entropy = -(last * last.clamped(1e-30).log()).sum(1)
        return losses.measuring("words_per_image", entropy.exp().mean())
    }

    /// Of every place to every word: [n, c, h, w] and [K, c] to [n, h·w, K].
    static func squaredDistances(_ map: Tensor, _ words: Tensor) -> Tensor {
        let places = map.flattened(from: 2).transposed(1, 2)
        return places.squared().sum(2, keep: true) + words.squared().sum(1) - 2 * places.matmul(words.t)
    }

    /// y, [n, K]: of the words' soft assignments at all places the largest, made to sum to 1.
    static func bag(_ squaredDistances: Tensor, scale: Tensor) -> Tensor {
        let largest = (squaredDistances * -scale).softmax(2).max(1)
        return largest / largest.sum(1, keep: true)
    }

    /// KL(y ‖ p), the mean over rows.
    /// - Parameters:
    ///   - h: [n, d], the student's.
    ///   - weights: [K, d], G(v), of length 1.
    static func divergence(_ h: Tensor, _ weights: Tensor, from bag: Tensor, kappa: Double) -> Tensor {
        let negativeEntropy = (bag * bag.clamped(1e-30).log()).sum(1).mean()
        return (h.matmul(weights.t) * kappa).crossEntropy(bag) + negativeEntropy
    }

    /// One 3 × 3 average of each image's map at a random place: [n, c].
    private static func localAverages(_ map: Tensor) -> Tensor {
        let averages = map.averagePool2d(Swift.min(3, map.size(2), map.size(3)), stride: 1).flattened(from: 2)
        let places = averages.size(2)
        let chosen = (Tensor.rand([map.size(0)], .float64) * Double(places)).to(.int64).to(map.device)
        return averages.transposed(1, 2).indexed([Tensor.arange(map.size(0), on: map.device), chosen])
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        guard let newest else { return }
        for (vocabulary, words) in zip(vocabularies, newest.words) { vocabulary.add(words) }
        distances.set(newest.distances)
        self.newest = nil
    }

    public var encoder: Encoder { student.encoder }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: student.encoder, into: teacher, decay: settings.teacherDecay)] }
}
