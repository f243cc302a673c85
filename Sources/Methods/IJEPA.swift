public import Backbones
public import Torch
public import Views

/// I-JEPA (Assran et al. 2023, arXiv:2301.08243).
///
///     L = 1/M Σᵢ mean over places of block i of ‖ predictor(context, mask tokens) − target ‖² / width    (section 3)
///     θ̄ ← λθ̄ + (1 − λ)θ
///
/// The targets are the moving average's tokens of the whole image, normalised, at the places of M rectangles; the context is
/// what they leave of a large one, and the only part that the encoder sees. Deviations: the backbone's class token is with the
/// context, which neither target nor prediction has, and the average over the features is taken where the paper sums them.
public final class IJEPA: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var predictorWidth = 384
        public var predictorDepth = 6
        public var predictorHeads = 12
        /// M, rectangles.
        public var targets = 4
        /// Shares of the image.
        public var targetScale = [0.15, 0.2]
        public var targetAspect = [0.75, 1.5]
        public var contextScale = [0.85, 1.0]
        /// λ
        public var targetDecay = Schedule.linear(from: 0.996, to: 1)

        public init() {}

        public func validate() throws(SettingsError) {
            try PatchDecoder.check(width: predictorWidth, heads: predictorHeads, depth: predictorDepth, "predictor")
            try SettingsCheck.within("targets", targets, 1...64)
            for (name, range, most) in [
                ("targetScale", targetScale, 1.0), ("targetAspect", targetAspect, 100), ("contextScale", contextScale, 1),
            ] {
                try SettingsCheck.require(
                    range.count == 2 && range[0] > 0 && range[0] <= range[1] && range[1] <= most,
                    "method.\(name) must be two rising numbers above 0 and up to \(most), not \(range)")
            }
            try SettingsCheck.fraction("targetDecay", targetDecay)
        }
    }

    public static let card = MethodCard(
        name: "ijepa", title: "I-JEPA", family: .maskedModelling, paper: "Assran et al. 2023, arXiv:2301.08243",
        summary: "predicts a moving average's features of blocks from the rest of the image", needs: "a second network",
        leastBatch: 1, hasPositivePairs: false, needsPatches: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.3...1, flips: false)
    }

    let online: PatchEncoder
    let predictor: PatchDecoder
    let target: PatchEncoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        online = try context.makePatchEncoder()
        predictor = PatchDecoder(
            online.outputWidth, width: settings.predictorWidth, depth: settings.predictorDepth, heads: settings.predictorHeads,
            outputs: online.outputWidth, grid: online.grid)
        target = try context.makePatchEncoder()
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let blocks = blocks(pixels)
        let targets = withoutGradients { target.patchTokens(pixels, .none).standardized() }
        let context = online.patchTokens(pixels, .visible(blocks.context))
        let predictions = blocks.targets.map { predictor.at($0, context, context: blocks.context) }
        return ["prediction": Self.prediction(predictions, blocks.targets.map { targets.tokens(at: $0) })]
    }

    private func blocks(_ pixels: Tensor) -> PatchMasks.Blocks {
        func range(_ ends: [Double]) -> ClosedRange<Double> { ends[0]...ends[1] }
        return PatchMasks.contextAndTargets(
            pixels.size(0), online.grid, targets: settings.targets, targetScale: range(settings.targetScale),
            targetAspect: range(settings.targetAspect), contextScale: range(settings.contextScale), on: pixels.device)
    }

    /// The rectangles are told one by one, as features.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let blocks = blocks(pixels)
        return online.task(
            of: pixels, seen: online.mask(at: blocks.context), told: online.mask(at: .concatenated(blocks.targets, dimension: 1)))
    }

    /// - Parameters: of each rectangle [n, t, width].
    static func prediction(_ predictions: [Tensor], _ targets: [Tensor]) -> Tensor {
        Tensor.stacked(zip(predictions, targets).map { ($0 - $1.detached()).squared().mean() }).mean()
    }

    /// What evaluation keeps is the moving average, as the paper has it.
    public var encoder: Encoder { target.encoder }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: online, into: target, decay: settings.targetDecay)] }
}
