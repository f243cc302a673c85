public import Backbones
public import Torch
public import Views

/// VICRegL: VICReg of local features too (Bardes et al. 2022, arXiv:2210.01571).
///
///     L = α·ℓ(z, z′) + (1 − α)·( L_s + L_d )                                                                (eq. 4)
///     L_s = mean over the γ best pairs of ℓ(y_p, y′_NN(p)),  NN(p) the place nearest to p in the image       (eq. 1)
///     L_d = the same with NN′(p) the place whose feature is nearest to p's                                   (eq. 2)
///
/// ℓ is VICReg's loss over the batch, y are the places of the last map through a projector of their own. The γ best are those pairs
/// that are nearest; both views look for their places in the other, of which the mean is taken.
///
/// The authors' code differs: it halves the variance and covariance terms of ℓ (v(Z)/2 + v(Z′)/2, and c likewise), takes all places
/// for L_d (`l2_all_matches`), and of the pairs for L_s 20 one way and 4 the other; locations there do not follow a flip.
public final class VICRegL: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 8192
        public var outputWidth = 8192
        public var headLayers = 3
        /// Of the places' projector.
        public var localWidth = 512
        /// α
        public var globalWeight = 0.75
        /// γ, at most as many as there are places.
        public var matches = 20
        /// The map whose places are taken.
        public var level = "layer4"
        /// λ
        public var invarianceWeight = 25.0
        /// μ
        public var varianceWeight = 25.0
        /// ν
        public var covarianceWeight = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.layers("headLayers", headLayers)
            try SettingsCheck.positive("localWidth", localWidth)
            try SettingsCheck.fraction("globalWeight", globalWeight)
            try SettingsCheck.positive("matches", matches)
            try SettingsCheck.notNegative("invarianceWeight", invarianceWeight)
            try SettingsCheck.notNegative("varianceWeight", varianceWeight)
            try SettingsCheck.notNegative("covarianceWeight", covarianceWeight)
        }
    }

    public static let card = MethodCard(
        name: "vicregl", title: "VICRegL", family: .redundancyReduction, paper: "Bardes et al. 2022, arXiv:2210.01571",
        summary: "VICReg of whole views and of places that show the same, for features that tell where things are",
        needs: "a wide projector, feature maps", hasScale: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        completing(try ViewRecipe.vicReg(size: ImageSize(imageSize)), settings)
    }

    /// And where they lie in the image.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) -> any ViewMaker { views.locating() }

    let online: ProjectedEncoder
    let localProjector: MLP
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let width = try encoder.mapWidths(at: [settings.level], "level")[0]
        func head(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> MLP {
            MLP([inputs] + Array(repeating: hidden, count: settings.headLayers - 1) + [outputs], outputBias: false)
        }
        online = ProjectedEncoder(encoder, head(encoder.outputWidth, settings.hiddenWidth, settings.outputWidth))
        localProjector = head(width, settings.localWidth, settings.localWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        guard let regions = batch.targets[ViewRecipe.regions] else { preconditionFailure("VICRegL needs to know where views lie") }
        var (z, y, places): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
        for (view, pixels) in batch.views.prefix(2).enumerated() {
            let (h, maps) = encoder.withMaps(pixels, at: [settings.level])
            let map = maps[0].flattened(from: 2).transposed(1, 2)
            z.append(online.projector(h).precise)
            y.append(localProjector(map.flattened(to: 1)).precise.reshaped(map.size(0), map.size(1), settings.localWidth))
            places.append(Self.places(regions.selected(1, view), height: maps[0].size(2), width: maps[0].size(3)))
        }
        let bySpace = Self.local(y, nearest: places, matches: settings.matches, criterion)
        let byFeature = Self.local(y, nearest: y.map { $0.detached() }, matches: settings.matches, criterion)
        return [
            "global": criterion(z[0], z[1]) * settings.globalWeight,
            "location": bySpace * (1 - settings.globalWeight), "feature": byFeature * (1 - settings.globalWeight),
        ]
    }

    /// ℓ
    private func criterion(_ a: Tensor, _ b: Tensor) -> Tensor {
        VICReg.invariance(a, b) * settings.invarianceWeight + (VICReg.variance(a) + VICReg.variance(b)) * settings.varianceWeight
            + (VICReg.covariance(a) + VICReg.covariance(b)) * settings.covarianceWeight
    }

    /// The middles of a map's cells in the image: [n, 4] regions to [n, height · width, 2], rows first.
    static func places(_ regions: Tensor, height: Int, width: Int) -> Tensor {
        func axis(_ low: Int, _ count: Int) -> Tensor {
            let start = regions.narrowed(1, from: low, count: 1)
            let length = regions.narrowed(1, from: low + 2, count: 1) - start
            return start + length * ((Tensor.arange(count, regions.dataType, on: regions.device) + 0.5) / Double(count))
        }
        let n = regions.size(0)
        let rows = axis(0, height).unsqueezed(2).expanded([n, height, width])
        let columns = axis(1, width).unsqueezed(1).expanded([n, height, width])
        return Tensor.stacked([rows, columns], dimension: 3).flattened(from: 1, to: 2)
    }

    /// The mean of both directions: of each image the pairs that are nearest in `points`, ranked by that, compared rank by rank.
    /// - Parameters:
    ///   - y: both views' [n, places, d].
    ///   - points: what distances are of, [n, places, c]; without gradient.
    static func local(_ y: [Tensor], nearest points: [Tensor], matches: Int, _ criterion: (Tensor, Tensor) -> Tensor) -> Tensor {
        let terms = [(0, 1), (1, 0)].map { from, to in
            let (own, other) = withoutGradients { pairs(points[from], points[to], matches: matches) }
            return criterion(chosen(y[from], own), chosen(y[to], other))
        }
        return (terms[0] + terms[1]) / 2
    }

    /// The places of `a` whose nearest in `b` are nearest of all, and those: [n, matches] int64 each.
    static func pairs(_ a: Tensor, _ b: Tensor, matches: Int) -> (own: Tensor, other: Tensor) {
        let squared = a.squared().sum(2, keep: true) + b.squared().sum(2).unsqueezed(1) - 2 * a.matmul(b.transposed())
        let nearest = squared.argmin(2)
        let own = (-squared.min(2)).top(Swift.min(matches, a.size(1)), dimension: 1).indices
        return (own, nearest.gathered(1, own))
    }

    /// [n, places, d] and [n, matches] to [matches, n, d].
    private static func chosen(_ y: Tensor, _ places: Tensor) -> Tensor {
        y.gathered(1, places.unsqueezed(2).expanded([y.size(0), places.size(1), y.size(2)])).transposed(0, 1)
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
