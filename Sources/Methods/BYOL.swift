public import Backbones
public import Torch
public import Views

/// BYOL: Bootstrap Your Own Latent (Grill et al. 2020, arXiv:2006.07733).
///
///     L(θ, ξ) = ‖ q̄θ(zθ) − z̄′ξ ‖² = 2 − 2·cos(qθ(zθ), z′ξ)    summed over both directions (eq. 2)
///     ξ ← τξ + (1 − τ)θ                                        after every optimiser step, τ from 0.996 to 1 by a cosine
///
/// The target's batch-norm layers use their batch's statistics, as in the paper; what is saved of them are the online ones.
public final class BYOL: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of projector and predictor.
        public var hiddenWidth = 4096
        public var outputWidth = 256
        /// Off, with a backbone without batch statistics (`backbone.norm: group`), BYOL knows nothing of other images in the batch
        /// (Richemond et al. 2020, arXiv:2010.10241).
        public var headBatchNorm = true
        /// τ
        public var targetDecay = Schedule.cosine(from: 0.996, to: 1)

        public init() {}

        public func validate() throws(SettingsError) {
            guard hiddenWidth > 0, outputWidth > 0 else { throw SettingsError("method.hiddenWidth and outputWidth must be positive") }
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }
    }

    public static let card = MethodCard(
        name: "byol", title: "BYOL", family: .teacherStudent, paper: "Grill et al. 2020, arXiv:2006.07733",
        summary: "one network predicts, from one view, what its own moving average makes of another; no negatives",
        needs: "a second network")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.byol(size: ImageSize(imageSize))
    }

    /// θ: backbone f and projector g
    let online: ProjectedEncoder
    /// θ: q
    let predictor: MLP
    /// ξ: f and g, without gradient
    let target: ProjectedEncoder
    private let targetDecay: Schedule

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func head(_ inputs: Int) -> MLP {
            MLP([inputs, settings.hiddenWidth, settings.outputWidth], batchNorm: settings.headBatchNorm)
        }
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            return ProjectedEncoder(encoder, head(encoder.outputWidth))
        }
        online = try branch()
        predictor = head(settings.outputWidth)
        target = try branch()
        targetDecay = settings.targetDecay
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let (v, w) = (batch.views[0], batch.views[1])
        let (zv, zw) = withoutGradients { (target(v), target(w)) }
        return ["regression": Self.regression((predictor(online(v)), predictor(online(w))), (zv, zw))]
    }

    /// Each view's prediction q against the target's projection z′ of the other view, the target without gradient.
    static func regression(_ q: (v: Tensor, w: Tensor), _ z: (v: Tensor, w: Tensor)) -> Tensor {
        let distance = RegressionLoss.normalizedSquaredDistance
        return distance(q.v, z.w.detached()) + distance(q.w, z.v.detached())
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: targetDecay)] }
}
