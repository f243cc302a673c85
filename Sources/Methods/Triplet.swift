public import Backbones
public import Torch
public import Views

/// The triplet loss (Schroff et al. 2015, FaceNet, arXiv:1503.03832) between views of images.
///
///     L = mean of max(0, ‖a − p‖² − ‖a − n‖² + α)            (eq. 1–2), vectors at length 1
///
/// Every view is an anchor a, the other view of its image the positive p; of all views of other images one is the negative n.
/// Semi-hard (section 3.2): the nearest of those that are farther than the positive, or the farthest if none is. Hardest: the
/// nearest of all, with which training easily collapses, as the paper says.
public final class Triplet: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Mining: String, Codable, Sendable, CaseIterable { case semiHard, hardest }

        public var mining = Mining.semiHard
        /// α
        public var margin = 0.2
        public var hiddenWidth = 512
        public var outputWidth = 128
        public var jitterStrength = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("margin", margin)
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "triplet", title: "Triplet", family: .contrastive, paper: "Schroff et al. 2015, arXiv:1503.03832",
        summary: "a view is nearer to the other view of its image than to a mined negative, by a margin")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: settings.jitterStrength)
    }

    let online: ProjectedEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        online = ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        ["triplet": Self.triplet(online(.concatenated(batch.views)), margin: settings.margin, mining: settings.mining)]
    }

    /// The mean over all pairs of views of the same image.
    /// - Parameter z: [views · N, d], unnormalised; rows i, N + i, … are the views of image i.
    static func triplet(_ z: Tensor, views: Int = 2, margin: Double, mining: Settings.Mining) -> Tensor {
        let n = z.size(0) / views
        let unit = z.normalized()
        let distance = 2 - 2 * unit.matmul(unit.t)
        let image = Tensor.arange(views * n, on: z.device).remainder(n)
        let same = image.unsqueezed(1).equal(image.unsqueezed(0))
        let terms = (1..<views).map { shift -> Tensor in
            let positive = 2 - 2 * (unit * unit.rolled(shift * n, dimension: 0)).sum(1)
            let negative: Tensor
            switch mining {
            case .hardest: negative = distance.filled(.infinity, where: same).min(1)
            case .semiHard:
                let farther = distance.greater(positive.unsqueezed(1)).and(same.not)
                let nearestFarther = distance.filled(.infinity, where: farther.not).min(1)
                let farthest = distance.filled(-.infinity, where: same).max(1)
                negative = nearestFarther.where(nearestFarther.isFinite(), otherwise: farthest)
            }
            return (positive - negative + margin).relu().mean()
        }
        return terms.dropFirst().reduce(terms[0], +) / Double(views - 1)
    }

    /// The mean of log(1 + exp(largest distance to a view of the same image − smallest to one of another)), at length 1: batch-hard
    /// triplets with a soft margin (Hermans et al. 2017, arXiv:1703.07737, eq. 5).
    /// - Parameters:
    ///   - z: [views · n, d], unnormalised; rows i, n + i, 2n + i, … are the views of image i.
    ///   - n: images.
    static func batchHard(_ z: Tensor, images n: Int) -> Tensor {
        let unit = z.normalized()
        // The root's gradient at 0 is infinite.
        let distance = (2 - 2 * unit.matmul(unit.t)).clamped(1e-12).sqrt()
        let image = Tensor.arange(z.size(0), on: z.device).remainder(n)
        let same = image.unsqueezed(1).equal(image.unsqueezed(0))
        let (farthest, nearest) = (distance.filled(-.infinity, where: same.not).max(1), distance.filled(.infinity, where: same).min(1))
        return (farthest - nearest).softplus().mean()
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
