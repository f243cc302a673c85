public import Backbones
public import Torch
public import Views

/// MAE: Masked Autoencoders (He et al. 2021, arXiv:2111.06377).
///
///     L = mean over hidden patches of ‖ decoder(encoder(visible patches)) − patch ‖² / values
///
/// Three quarters of the patches are hidden; the encoder sees only the others, a light decoder gets mask tokens in place of
/// those. Each patch's values are normalised by its own mean and variance (section 4.1).
public final class MAE: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public var maskRatio = 0.75
        public var decoderWidth = 512
        public var decoderDepth = 8
        public var decoderHeads = 16
        public var normalizesPatches = true

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.share("maskRatio", maskRatio)
            try PatchDecoder.check(width: decoderWidth, heads: decoderHeads, depth: decoderDepth, "decoder")
        }
    }

    public static let card = MethodCard(
        name: "mae", title: "MAE", family: .maskedModelling, paper: "He et al. 2021, arXiv:2111.06377",
        summary: "reconstructs the pixels of hidden patches from the few that are left", leastBatch: 1, hasPositivePairs: false,
        needsPatches: true, remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    let patches: PatchEncoder
    let decoder: PatchDecoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        patches = try context.makePatchEncoder()
        decoder = PatchDecoder(
            patches.outputWidth, width: settings.decoderWidth, depth: settings.decoderDepth, heads: settings.decoderHeads,
            outputs: patches.patchSize * patches.patchSize * 3, grid: patches.grid)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let (prediction, hidden) = predict(pixels)
        return [
            "reconstruction": Self.reconstruction(
                prediction, withoutGradients { patches.values(pixels) }, hidden: hidden, normalizes: settings.normalizesPatches)
        ]
    }

    /// Of all patches, [n, patches, values], and which were hidden, [n, m] places.
    private func predict(_ pixels: Tensor) -> (prediction: Tensor, hidden: Tensor) {
        let (order, visible, hidden) = places(pixels)
        let known = patches.tokens(pixels, .visible(visible))
        return (decoder.all(known, prefix: patches.prefixTokens, order: order), hidden)
    }

    /// Every image's places in an order of its own, and which of them are seen and which hidden: int64, of each image one after the other.
    private func places(_ pixels: Tensor) -> (order: Tensor, visible: Tensor, hidden: Tensor) {
        let count = patches.grid.count
        let order = PatchMasks.orders(pixels.size(0), count, on: pixels.device)
        let visible = min(count - 1, max(1, Int(Double(count) * (1 - settings.maskRatio))))
        return (order, order.narrowed(1, from: 0, count: visible), order.narrowed(1, from: visible, count: count - visible))
    }

    public func task(of pixels: Tensor) -> [PictureRow] {
        let (_, visible, hidden) = places(pixels)
        return patches.task(of: pixels, seen: patches.mask(at: visible), told: patches.mask(at: hidden))
    }

    /// Normalised patches are shown with the mean and deviation of those that are hidden, as the authors show them.
    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let (prediction, hidden) = predict(pixels)
        let values = patches.values(pixels)
        var made = prediction
        if settings.normalizesPatches {
            made = made * (values.variance(-1, keep: true) + 1e-6).sqrt() + values.mean(-1, keep: true)
        }
        let places = Tensor.zeros([values.size(0), values.size(1)], on: values.device)
        let mask = places.scatterAdded(1, hidden, Tensor.ones(hidden.shape, on: values.device)).unsqueezed(2)
        func shown(_ values: Tensor) -> Tensor {
            encoder.input.pixels(PatchEncoder.image(values, patches.grid, patchSize: patches.patchSize))
        }
        return [
            PictureRow("What it sees", shown(values * (1 - mask))),
            PictureRow("What it fills in", shown(values * (1 - mask) + made * mask)), PictureRow("The images", pixels),
        ]
    }

    /// - Parameters:
    ///   - prediction: [n, patches, values]
    ///   - values: those of the image.
    ///   - hidden: [n, m] int64 places.
    static func reconstruction(_ prediction: Tensor, _ values: Tensor, hidden: Tensor, normalizes: Bool) -> Tensor {
        var target = values.tokens(at: hidden)
        if normalizes { target = (target - target.mean(-1, keep: true)) / (target.variance(-1, keep: true) + 1e-6).sqrt() }
        return (prediction.tokens(at: hidden) - target).squared().mean()
    }

    public var encoder: Encoder { patches.encoder }
}
