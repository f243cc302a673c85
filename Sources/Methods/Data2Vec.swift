public import Backbones
public import Torch
public import Views

/// data2vec (Baevski et al. 2022, arXiv:2202.03555), on images.
///
///     L = mean over hidden patches of smooth-L1_β( linear(f(image with mask tokens)), y )              (eq. 2)
///     y = mean over the last K blocks of the moving average of Norm(block's output for the whole image)  (section 3.3)
///     Δ ← τΔ + (1 − τ)θ
///
/// The targets hold what the teacher knows of the whole image, so that they are in context. Deviation: positions are the
/// backbone's, not relative ones.
public final class Data2Vec: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var maskRatio = 0.6
        /// K
        public var targetBlocks = 6
        public var beta = 2.0
        /// τ
        public var targetDecay = Schedule.constant(0.9998)

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.share("maskRatio", maskRatio)
            try SettingsCheck.positive("targetBlocks", targetBlocks)
            try SettingsCheck.positive("beta", beta)
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }
    }

    public static let card = MethodCard(
        name: "data2vec", title: "data2vec", family: .maskedModelling, paper: "Baevski et al. 2022, arXiv:2202.03555",
        summary: "predicts the features that a moving average has of hidden patches in the whole image",
        needs: "a second network", leastBatch: 1, hasPositivePairs: false, needsPatches: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        let jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0, p: 1)
        return try ViewRecipe(views: [
            View("view", size: ImageSize(imageSize), [RandomResizedCrop(), HorizontalFlip(), jitter])
        ])
    }

    let online: PatchEncoder
    /// [outputWidth]
    let maskToken: Parameter
    let predictor: Linear
    let target: PatchEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        online = try context.makePatchEncoder()
        maskToken = Parameter(.randn([online.outputWidth]) * 0.02)
        predictor = Linear(online.outputWidth, online.outputWidth)
        target = try context.makePatchEncoder()
        // Before the first block there are the patches themselves.
        let depth = online.encoder.backbone.layerNames.count - 1
        try SettingsCheck.require(
            settings.targetBlocks <= depth, "method.targetBlocks is \(settings.targetBlocks), but the backbone has \(depth): ask for fewer")
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let mask = mask(pixels)
        let targets = withoutGradients { Self.targets(target.lastBlocks(pixels, settings.targetBlocks)) }
        let predictions = predictor(online.patchTokens(pixels, .replaced(mask, by: maskToken.value)))
        return ["regression": Self.regression(predictions, targets, mask, beta: settings.beta)]
    }

    private func mask(_ pixels: Tensor) -> Tensor {
        let grid = online.grid
        let ratios = Array(repeating: settings.maskRatio, count: pixels.size(0))
        return PatchMasks.blocks(ratios, grid, least: max(1, 16 * grid.count / 196), on: pixels.device)
    }

    public func task(of pixels: Tensor) -> [PictureRow] {
        let mask = mask(pixels)
        return online.task(of: pixels, seen: mask.not, told: mask)
    }

    /// - Parameter blocks: [n, patches, width] each.
    static func targets(_ blocks: [Tensor]) -> Tensor { Tensor.stacked(blocks.map { $0.standardized() }).mean(0) }

    /// - Parameters:
    ///   - predictions: [n, patches, width], as targets.
    ///   - mask: [n, patches] bool.
    static func regression(_ predictions: Tensor, _ targets: Tensor, _ mask: Tensor, beta: Double) -> Tensor {
        predictions.smoothL1(targets.detached(), beta: beta).mean(-1).mean(where: mask)
    }

    public var encoder: Encoder { online.encoder }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
