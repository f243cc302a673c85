public import Backbones
internal import Foundation
public import Torch
public import Views

/// AMDIM: Augmented Multiscale Deep InfoMax (Bachman et al. 2019, arXiv:1906.00910): a view's global feature finds the local
/// features of another view of its image among those of other images, and local features find local ones.
///
///     s = φ(f)ᵀφ(g)/√d,   clipped softly to c·tanh(s/c)                                                        (section 3.3)
///     L = mean over pairs of −log( exp s₊ / ( exp s₊ + Σ over all places of other images exp s₋ ) ) + λ·mean s²  (eq. 2–4)
///     pairs: global → each level, last level → last level, in both directions of the views
///
/// Deviation: the levels are maps of the recipe's backbone; the authors' own network, whose places see less of their neighbours,
/// is not here.
public final class AMDIM: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 2560
        /// d, of φ.
        public var outputWidth = 2560
        /// Maps of local features, coarser ones last.
        public var levels = ["layer3", "layer4"]
        /// c
        public var scoreLimit = 20.0
        /// λ
        public var scoreWeight = 0.04

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.require(!levels.isEmpty, "method.levels is empty: name layers of the backbone, such as layer4")
            try SettingsCheck.positive("scoreLimit", scoreLimit)
            try SettingsCheck.notNegative("scoreWeight", scoreWeight)
        }
    }

    public static let card = MethodCard(
        name: "amdim", title: "AMDIM", family: .contrastive, paper: "Bachman et al. 2019, arXiv:1906.00910",
        summary: "a view's global feature finds the local features of the image's other view, at several scales",
        needs: "feature maps, large batches")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: 0.5, blur: false)
    }

    /// φ of the global feature.
    let online: ProjectedEncoder
    /// φ of each level's places.
    let localHeads: [MLP]
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let widths = try encoder.mapWidths(at: settings.levels)
        func head(_ inputs: Int) -> MLP { MLP([inputs, settings.hiddenWidth, settings.outputWidth], outputBatchNorm: true) }
        online = ProjectedEncoder(encoder, head(encoder.outputWidth))
        localHeads = widths.map(head)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let n = batch.count
        // Both views pass together, as in the authors' code.
        let (h, maps) = encoder.withMaps(.concatenated(Array(batch.views.prefix(2))), at: settings.levels)
        let global = online.projector(h).precise.chunks(2)
        // [2n, places, d]
        let local = zip(localHeads, maps).map { head, map in
            let places = map.flattened(from: 2).transposed(1, 2)
            return head(places.flattened(to: 1)).precise.reshaped(2 * n, places.size(1), settings.outputWidth).chunks(2)
        }
        var (terms, penalties): ([Tensor], [Tensor]) = ([], [])
        func add(_ source: Tensor, _ target: Tensor) {
            let scores = Self.scores(source, target)
            penalties.append(scores.squared().mean())
            terms.append(Self.contrast(scores, limit: settings.scoreLimit))
        }
        for (from, to) in [(0, 1), (1, 0)] {
            for level in local { add(global[from], level[to]) }
            let last = local[local.count - 1]
            add(Self.randomPlaces(last[from]), last[to])
        }
        return [
            "info_nce": Tensor.stacked(terms).mean(), "score_penalty": Tensor.stacked(penalties).mean() * settings.scoreWeight,
        ]
    }

    /// φ(f)ᵀφ(g)/√d: [n, d] and [n, places, d] to [n, n, places].
    static func scores(_ source: Tensor, _ target: Tensor) -> Tensor {
        let (n, places, d) = (target.size(0), target.size(1), target.size(2))
        return (source.matmul(target.reshaped(n * places, d).t) / Foundation.sqrt(Double(d))).reshaped(source.size(0), n, places)
    }

    /// Every place of the own image against it and all places of the other images; the mean over images and places.
    static func contrast(_ scores: Tensor, limit: Double) -> Tensor {
        let s = (scores / limit).tanh() * limit
        let n = s.size(0)
        let own = Tensor.eye(n, .float32, on: s.device).greater(0)
        // [n], of all places of other images; and [n, places].
        let others = s.filled(-.infinity, where: own.unsqueezed(2)).flattened(from: 1).logSumExp(1, keep: true)
        let positive = s.indexed([Tensor.arange(n, on: s.device), Tensor.arange(n, on: s.device)])
        return (others - positive).softplus().mean()
    }

    /// One place of each image: [n, places, d] to [n, d].
    private static func randomPlaces(_ local: Tensor) -> Tensor {
        let n = local.size(0)
        let chosen = (Tensor.rand([n], .float64) * Double(local.size(1))).to(.int64).to(local.device)
        return local.indexed([Tensor.arange(n, on: local.device), chosen])
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
