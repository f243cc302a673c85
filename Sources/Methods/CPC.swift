public import Backbones
public import Torch
public import Views

/// CPC v2: Contrastive Predictive Coding (Hénaff et al. 2019, arXiv:1905.09272).
///
///     z = f of each patch in a 7 × 7 grid, each overlapping the next by half
///     c_ij = g({z_uv}, u ≤ i)                 a masked convolutional network sees its own row and those above
///     ẑ_{i+k,j} = W_k c_ij
///     L = −mean of log( exp(ẑᵀt) / Σ exp(ẑᵀt′) ),  t a linear map of z; t′ are all patches of all images   (section 2.1)
///
/// In several directions: from above, from below and from the sides, each with a network g of its own. Layer normalisation in f,
/// because batch statistics would tell which patches are of one image; patches change their colours and lose them at random, each by
/// itself (the paper's patch augmentation, of normalised input; without its elastic deformations and AutoAugment's operations).
/// The representation is the mean of the patches' features.
public final class CPC: Module, DeviceTask {
    public struct Settings: MethodSettings {
        /// Patches of a side.
        public var grid = 7
        /// Of g's inner convolutions.
        public var contextWidth = 256
        public var contextBlocks = 5
        /// Of the space in which predictions and patches are compared.
        public var outputWidth = 64
        /// Of the products.
        public var scoreScale = 0.1
        /// k from here …
        public var firstOffset = 3
        /// … to here.
        public var lastOffset = 3
        /// Of those from above, from below, from the left and from the right, how many.
        public var scanDirections = 4
        /// Probability that a patch keeps only one of its colour channels.
        public var colourDrop = 0.8
        /// By how much a patch's saturation, contrast and brightness change, each patch by itself: factors from 1 − this to 1 + this.
        public var patchJitter = 0.4
        /// Probability that a patch is grey.
        public var patchGrey = 0.25

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require((2...16).contains(grid), "method.grid must be 2 to 16, not \(grid)")
            try SettingsCheck.positive("contextWidth", contextWidth)
            try SettingsCheck.require((1...32).contains(contextBlocks), "method.contextBlocks must be 1 to 32, not \(contextBlocks)")
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("scoreScale", scoreScale)
            try SettingsCheck.positive("firstOffset", firstOffset)
            try SettingsCheck.require(
                lastOffset >= firstOffset && lastOffset < grid,
                "method.lastOffset must be method.firstOffset (\(firstOffset)) or more and below method.grid (\(grid)), not \(lastOffset)")
            try SettingsCheck.require(
                (1...4).contains(scanDirections), "method.scanDirections must be 1 to 4, not \(scanDirections)")
            try SettingsCheck.fraction("colourDrop", colourDrop)
            try SettingsCheck.fraction("patchJitter", patchJitter)
            try SettingsCheck.fraction("patchGrey", patchGrey)
        }
    }

    public static let card = MethodCard(
        name: "cpc", title: "CPC v2", family: .contrastive, paper: "Hénaff et al. 2019, arXiv:1905.09272",
        summary: "patches further down are predicted from those above, and found among all patches of all images",
        needs: "a network that sees every patch", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.cpc(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    /// g, of each direction.
    let contexts: [ContextNetwork]
    /// W_k, of each direction one after the other.
    let predictors: [Linear]
    /// From z to t.
    let target: Linear
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder(patches: settings.grid, norm: .layer)
        let width = encoder.outputWidth
        contexts = (0..<settings.scanDirections).map { _ in
            ContextNetwork(width: width, hidden: settings.contextWidth, blocks: settings.contextBlocks)
        }
        let offsets = settings.lastOffset - settings.firstOffset + 1
        predictors = (0..<settings.scanDirections * offsets).map { _ in Linear(width, settings.outputWidth) }
        target = Linear(width, settings.outputWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let (n, grid) = (batch.count, settings.grid)
        let patches = changed(encoder.patches(batch.views[0]))
        // [n, rows, columns, width]
        let z = encoder.backbone(patches).reshaped(n, grid, grid, encoder.outputWidth)
        var terms: [Tensor] = []
        for direction in 0..<settings.scanDirections {
            let seen = Self.turned(z, direction)
            let c = contexts[direction](seen.permuted(0, 3, 1, 2)).permuted(0, 2, 3, 1)
            let t = target(seen).precise
            for offset in settings.firstOffset...settings.lastOffset {
                let index = direction * (settings.lastOffset - settings.firstOffset + 1) + offset - settings.firstOffset
                let predictions = predictors[index](c.narrowed(1, from: 0, count: grid - offset)).precise * settings.scoreScale
                terms.append(Self.contrast(predictions, t))
            }
        }
        return ["info_nce": Tensor.stacked(terms).mean()]
    }

    /// The patches in their places, beside each other though they overlap in the image.
    public func task(of pixels: Tensor) -> [PictureRow] {
        let patches = changed(encoder.patches(pixels))
        let (grid, side) = (settings.grid, patches.size(3))
        let rows = patches.reshaped([pixels.size(0), grid, grid, 3, side, side]).permuted(0, 3, 1, 4, 2, 5)
            .reshaped(pixels.size(0), 3, grid * side, grid * side)
        return [PictureRow("patches", encoder.input.pixels(rows))]
    }

    /// From above, from below, from the left, from the right: [n, rows, columns, d] so that what comes first is above.
    static func turned(_ z: Tensor, _ direction: Int) -> Tensor {
        switch direction {
        case 0: z
        case 1: z.flipped(1)
        case 2: z.transposed(1, 2)
        default: z.transposed(1, 2).flipped(1)
        }
    }

    /// The mean over predictions of −log softmax, the row's own patch against all patches.
    /// - Parameters:
    ///   - predictions: [n, rows − k, columns, d], ẑ of rows k and after.
    ///   - targets: [n, rows, columns, d].
    static func contrast(_ predictions: Tensor, _ targets: Tensor) -> Tensor {
        let (n, rows, columns, d) = (targets.size(0), targets.size(1), targets.size(2), targets.size(3))
        let offset = rows - predictions.size(1)
        let own = Tensor.arange(n * rows * columns, on: targets.device).reshaped(n, rows, columns)
            .narrowed(1, from: offset, count: rows - offset).flattened()
        return predictions.reshaped(-1, d).matmul(targets.reshaped(-1, d).t).crossEntropy(own)
    }

    private func changed(_ patches: Tensor) -> Tensor {
        Self.droppingColours(
            Self.jittered(patches, by: settings.patchJitter, grey: settings.patchGrey), probability: settings.colourDrop)
    }

    /// Saturation about a patch's grey, contrast about its mean, and brightness, of each patch by itself: [n, 3, h, w].
    static func jittered(_ patches: Tensor, by strength: Double, grey probability: Double) -> Tensor {
        guard strength > 0 || probability > 0 else { return patches }
        let shape = [patches.size(0), 1, 1, 1]
        func change() -> Tensor { (Tensor.rand(shape) * 2 - 1) * strength }
        let saturation = (change() + 1) * Tensor.rand(shape).less(probability).not.to(.float32)
        let (contrast, brightness) = ((change() + 1).to(patches.device), change().to(patches.device))
        let grey = patches.mean(1, keep: true)
        let coloured = grey + (patches - grey) * saturation.to(patches.device)
        let mean = coloured.flattened(from: 1).mean(1).reshaped(shape)
        return mean + (coloured - mean) * contrast + brightness
    }

    /// Of some patches two of three channels become 0, the mean: [n, 3, h, w].
    static func droppingColours(_ patches: Tensor, probability: Double) -> Tensor {
        let n = patches.size(0)
        let kept = (Tensor.rand([n], .float64) * 3).to(.int64).oneHot(3).to(.float32)
        let drops = Tensor.rand([n, 1]).less(probability)
        return patches * kept.where(drops, otherwise: .ones([n, 3])).reshaped(n, 3, 1, 1).to(patches.device)
    }

    public func embedding(_ representation: Tensor) -> Tensor? { target(representation) }
}

/// g of CPC v2 (appendix A): residual blocks of 1 × 1, 1 × 3 and 2 × 1 convolutions, the last of which sees its own row and the one
/// above.
final class ContextNetwork: Layer {
    let layers: [Block]

    init(width: Int, hidden: Int, blocks: Int) { layers = (0..<blocks).map { _ in Block(width, hidden) } }

    /// [n, width, rows, columns] to the same.
    override func callAsFunction(_ z: Tensor) -> Tensor { layers.reduce(z) { $0 + $1($0) }.relu() }

    final class Block: Layer {
        let reduce: Conv2d
        /// Of a 1 × 3 kernel.
        let across: Parameter
        /// Of a 2 × 1 kernel.
        let down: Parameter
        let acrossBias: Parameter
        let downBias: Parameter
        let expand: Conv2d

        init(_ width: Int, _ hidden: Int) {
            reduce = Conv2d(width, hidden, kernel: 1)
            func weights(_ taps: Int) -> Tensor {
                Linear(hidden * taps, hidden).weight.value.detached().reshaped(hidden, hidden, taps)
            }
            across = Parameter(weights(3).unsqueezed(2))
            down = Parameter(weights(2).unsqueezed(3))
            acrossBias = Parameter(.zeros([hidden]))
            downBias = Parameter(.zeros([hidden]))
            expand = Conv2d(hidden, width, kernel: 1)
        }

        override func callAsFunction(_ x: Tensor) -> Tensor {
            let y = reduce(x).relu()
            let rows = y.padded([1, 1]).conv2d(across.value, acrossBias.value)
            return expand(rows.padded([0, 0, 1, 0]).conv2d(down.value, downBias.value).relu())
        }
    }
}
