public import Backbones
public import Torch
public import Views

/// Damaged jigsaw: Learning Image Representations by Completing Damaged Jigsaw Puzzles (Kim et al. 2018, arXiv:1802.01880).
///
///     L = −log softmax(g(c))_σ  +  w_m · ‖ m̂(c) − x_missing ‖² / values  +  w_c · ‖ âb(c, c_j) − ab_j ‖² / values
///
/// All tiles are grey and one is missing; the network tells their order, the missing tile and the colours of the others. c are all
/// tiles' codes, c_j one tile's. Tiles and colours are predicted small, in CIE L*a*b* scaled to −1 … 1; the weights, the small decoders
/// and the squared distance are ours.
public final class DamagedJigsaw: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var puzzle = PuzzleSettings()
        /// Of the layer that each tile has by itself.
        public var tileWidth = 512
        /// Of the layer that sees all tiles.
        public var hiddenWidth = 4096
        /// Channels of the decoders.
        public var decoderWidth = 64
        /// The side of predicted tiles, a multiple of 4.
        public var decodedSide = 16
        /// w_m
        public var missingWeight = 1.0
        /// w_c
        public var coloursWeight = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try puzzle.validate()
            try ContextFreeNetwork.check(tileWidth: tileWidth, hiddenWidth: hiddenWidth)
            try SettingsCheck.positive("decoderWidth", decoderWidth)
            try SettingsCheck.require(
                decodedSide >= 4 && decodedSide.isMultiple(of: 4), "method.decodedSide must be a multiple of 4, not \(decodedSide)")
            try SettingsCheck.notNegative("missingWeight", missingWeight)
            try SettingsCheck.notNegative("coloursWeight", coloursWeight)
        }
    }

    public static let card = MethodCard(
        name: "damaged_jigsaw", title: "Damaged jigsaw", family: .pretext, paper: "Kim et al. 2018, arXiv:1802.01880",
        summary: "tells the order of grey tiles, the one that is missing, and their colours", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try settings.puzzle.views(.puzzle(ImageSize(imageSize)), .missing)
    }

    /// Tiles are cut from the first of the views.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        try settings.puzzle.views(views.views[0], .missing)
    }

    let network: ContextFreeNetwork
    /// From c to L, a and b.
    let missing: TileDecoder
    /// From c_j and c to a and b.
    let colours: TileDecoder
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        network = try ContextFreeNetwork(
            context.makeEncoder(seeing: settings.puzzle.tiles.sides(of: context.imageSize).tile), settings.puzzle,
            tileWidth: settings.tileWidth, hiddenWidth: settings.hiddenWidth)
        let tiles = settings.puzzle.tiles.count
        missing = TileDecoder(tiles * settings.tileWidth, settings.decoderWidth, channels: 3, side: settings.decodedSide)
        colours = TileDecoder(2 * settings.tileWidth, settings.decoderWidth, channels: 2, side: settings.decodedSide)
        self.settings = settings
    }

    /// The views are the puzzle and the solved picture.
    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let grid = settings.puzzle.tiles.grid
        let (n, tiles, side) = (batch.count, settings.puzzle.tiles.count, settings.decodedSide)
        let (chosen, place) = (batch.targets["permutations"]!, batch.targets["missing"]!)
        let codes = network.codes(batch.views[0])
        // Of the tiles as they are in the picture, and as they stand in the puzzle.
        let solved = withoutGradients {
            InputTransform.lab(ContextFreeNetwork.tiles(batch.views[1], grid: grid)).adaptiveAveragePool2d(side)
                .contiguous().reshaped(n, tiles, 3 * side * side)
        }
        func taken(_ order: Tensor) -> Tensor { solved.gathered(1, order.unsqueezed(2).expanded([n, order.size(1), 3 * side * side])) }
        let shown = network.shown(chosen)
        let context = codes.mean(1, keep: true).expanded(codes.shape)
        let each = Tensor.concatenated([codes, context], dimension: 2).reshaped(n * tiles, -1)
        let ab = taken(shown).reshaped(n * tiles, 3, side, side).narrowed(1, from: 1, count: 2)
        let isThere = shown.equal(place).flattened().to(.float32) * -1.0 + 1.0
        let order = ContextFreeNetwork.losses(network.logits(codes, chosen), chosen)
        var losses: Losses = [
            "permutation": order.total,
            "missing": (missing(codes.flattened(from: 1)) - taken(place).reshaped(n, 3, side, side)).squared().mean()
                * settings.missingWeight,
            "colours": Self.colours(colours(each), ab, isThere) * settings.coloursWeight,
        ]
        losses.measures = order.measures
        return losses
    }

    /// The mean squared distance over tiles that are there.
    /// - Parameters:
    ///   - prediction, ab: [tiles, 2, s, s].
    ///   - isThere: [tiles], 0 or 1.
    static func colours(_ prediction: Tensor, _ ab: Tensor, _ isThere: Tensor) -> Tensor {
        let each = (prediction - ab).squared().mean(1, 2, 3)
        return (each * isThere).sum() / isThere.sum().clamped(1)
    }

    public var encoder: Encoder { network.encoder }
}

/// A small picture from a code: a linear layer to a quarter of the side, and twice a convolution on twice the side.
final class TileDecoder: Layer {
    let start: Linear
    let convolutions: [Conv2d]
    let last: Conv2d
    private let width: Int
    private let side: Int

    init(_ inputs: Int, _ width: Int, channels: Int, side: Int) {
        start = Linear(inputs, width * side / 4 * side / 4)
        convolutions = (0..<2).map { _ in Conv2d(width, width, kernel: 3, padding: 1) }
        last = Conv2d(width, channels, kernel: 3, padding: 1)
        (self.width, self.side) = (width, side)
    }

    /// [n, inputs] to [n, channels, side, side].
    override func callAsFunction(_ code: Tensor) -> Tensor {
        var x = start(code).relu().reshaped(code.size(0), width, side / 4, side / 4)
        for (step, convolution) in convolutions.enumerated() {
            let size = (side / 2) << step
            x = convolution(x.resizedBilinear(height: size, width: size)).relu()
        }
        return last(x)
    }
}
