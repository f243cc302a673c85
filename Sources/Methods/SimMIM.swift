public import Backbones
public import Torch
public import Views

/// SimMIM (Xie et al. 2022, arXiv:2111.09886).
///
///     L = mean over hidden pixels of | linear(encoder(image with mask tokens)) − pixel |            (section 3.4)
///
/// Hidden are random squares, larger than a patch. Deviation: positions are the backbone's, not relative ones.
public final class SimMIM: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var maskRatio = 0.6
        /// Sides of what is hidden at once, in patches: 32 pixels of patches of 16.
        public var maskUnit = 2

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.share("maskRatio", maskRatio)
            try SettingsCheck.positive("maskUnit", maskUnit)
        }
    }

    public static let card = MethodCard(
        name: "simmim", title: "SimMIM", family: .maskedModelling, paper: "Xie et al. 2022, arXiv:2111.09886",
        summary: "predicts the pixels of hidden squares by one linear layer", leastBatch: 1, hasPositivePairs: false, needsPatches: true,
        remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.67...1)
    }

    let patches: PatchEncoder
    /// [outputWidth]
    let maskToken: Parameter
    let decoder: Linear
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        patches = try context.makePatchEncoder()
        let grid = patches.grid
        func squares(_ side: Int) -> Int { (side + settings.maskUnit - 1) / settings.maskUnit }
        let all = squares(grid.rows) * squares(grid.columns)
        try SettingsCheck.require(
            Int((settings.maskRatio * Double(all)).rounded(.up)) < all,
            "method.maskUnit (\(settings.maskUnit)) makes \(all) of \(grid.rows) × \(grid.columns) patches, all of which would be hidden: "
                + "take smaller squares or a smaller method.maskRatio")
        maskToken = Parameter(.randn([patches.outputWidth]) * 0.02)
        decoder = Linear(patches.outputWidth, patches.patchSize * patches.patchSize * 3)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let mask = mask(pixels)
        let prediction = decoder(patches.patchTokens(pixels, .replaced(mask, by: maskToken.value)))
        return ["reconstruction": Self.reconstruction(prediction, withoutGradients { patches.values(pixels) }, mask)]
    }

    private func mask(_ pixels: Tensor) -> Tensor {
        PatchMasks.squares(pixels.size(0), patches.grid, unit: settings.maskUnit, ratio: settings.maskRatio, on: pixels.device)
    }

    public func task(of pixels: Tensor) -> [PictureRow] {
        let mask = mask(pixels)
        return patches.task(of: pixels, seen: mask.not, told: mask)
    }

    /// - Parameters:
    ///   - prediction: [n, patches, values]
    ///   - values: those of the image.
    ///   - mask: [n, patches] bool.
    static func reconstruction(_ prediction: Tensor, _ values: Tensor, _ mask: Tensor) -> Tensor {
        (prediction - values).abs().mean(-1).mean(where: mask)
    }

    public var encoder: Encoder { patches.encoder }
}
