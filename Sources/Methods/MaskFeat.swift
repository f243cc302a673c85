public import Backbones
public import Torch
public import Views

/// MaskFeat (Wei et al. 2022, arXiv:2112.09133), on images.
///
///     L = mean over hidden patches of ‖ linear(encoder(image with mask tokens)) − HOG(patch) ‖² / values
///
/// The features are histograms of oriented gradients of each colour channel, each cell's normalised to length 1 (section 3.2);
/// blocks of patches are hidden as in BEiT.
public final class MaskFeat: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var maskRatio = 0.4
        public var bins = 9
        /// A cell's side in pixels, which divides a patch's.
        public var cellSize = 8

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.share("maskRatio", maskRatio)
            try SettingsCheck.within("bins", bins, 2...360)
            try SettingsCheck.positive("cellSize", cellSize)
        }
    }

    public static let card = MethodCard(
        name: "maskfeat", title: "MaskFeat", family: .maskedModelling, paper: "Wei et al. 2022, arXiv:2112.09133",
        summary: "predicts histograms of oriented gradients of hidden blocks", leastBatch: 1, hasPositivePairs: false, needsPatches: true,
        remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.5...1)
    }

    let patches: PatchEncoder
    /// [outputWidth]
    let maskToken: Parameter
    let decoder: Linear
    private let settings: Settings
    /// A cell's side.
    private let cell: Int

    public init(_ settings: Settings, _ context: MethodContext) throws {
        patches = try context.makePatchEncoder()
        cell = try HOG.cell(settings.cellSize, patchSize: patches.patchSize)
        maskToken = Parameter(.randn([patches.outputWidth]) * 0.02)
        let side = patches.patchSize / cell
        decoder = Linear(patches.outputWidth, side * side * 3 * settings.bins)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let mask = mask(pixels)
        let prediction = decoder(patches.patchTokens(pixels, .replaced(mask, by: maskToken.value)))
        return ["reconstruction": Self.reconstruction(prediction, withoutGradients { features(pixels) }, mask)]
    }

    private func mask(_ pixels: Tensor) -> Tensor {
        let ratios = Array(repeating: settings.maskRatio, count: pixels.size(0))
        let grid = patches.grid
        return PatchMasks.blocks(ratios, grid, least: max(1, 16 * grid.count / 196), on: pixels.device)
    }

    /// Histograms are drawn as lines through their cells' middles, along the edges, each channel in its colour.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let mask = mask(pixels)
        let hidden = features(pixels) * mask.to(.float32).unsqueezed(2)
        let drawn = HOG.drawn(hidden, patches.grid, patchSize: patches.patchSize, cell: cell, bins: settings.bins)
        return [patches.task(of: pixels, seen: mask.not, told: mask)[0], PictureRow("told", drawn)]
    }

    /// What is to be predicted of each patch.
    func features(_ pixels: Tensor) -> Tensor { HOG.ofPatches(pixels, cell: cell, bins: settings.bins, patchSize: patches.patchSize) }

    /// - Parameters:
    ///   - prediction: [n, patches, values]
    ///   - features: those of the image.
    ///   - mask: [n, patches] bool.
    static func reconstruction(_ prediction: Tensor, _ features: Tensor, _ mask: Tensor) -> Tensor {
        (prediction - features).squared().mean(-1).mean(where: mask)
    }

    public var encoder: Encoder { patches.encoder }
}
