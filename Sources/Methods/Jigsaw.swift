public import Backbones
public import Torch
public import Views

/// Jigsaw: Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles (Noroozi and Favaro 2016, arXiv:1603.09246).
///
///     L = −log softmax( g( f(x_σ(1)), …, f(x_σ(9)) ) )_σ,   σ one of a set of permutations that differ much
///
/// f sees tiles one by one. What would tell their order without their content is taken away: gaps between tiles against edges that
/// go on, each tile's own mean and deviation against slow changes of light, moved channels and grey images against chromatic
/// aberration. The representation is f of a whole image.
public final class Jigsaw: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var puzzle = PuzzleSettings()
        /// Of the layer that each tile has by itself.
        public var tileWidth = 512
        /// Of the layer that sees all tiles.
        public var hiddenWidth = 4096

        public init() {}

        public func validate() throws(SettingsError) {
            try puzzle.validate()
            try ContextFreeNetwork.check(tileWidth: tileWidth, hiddenWidth: hiddenWidth)
        }
    }

    public static let card = MethodCard(
        name: "jigsaw", title: "Jigsaw", family: .pretext, paper: "Noroozi and Favaro 2016, arXiv:1603.09246",
        summary: "tells in which order an image's nine tiles were put", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try settings.puzzle.views(.puzzle(ImageSize(imageSize)))
    }

    /// Tiles are cut from the first of the views.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        try settings.puzzle.views(views.views[0])
    }

    let network: ContextFreeNetwork

    public init(_ settings: Settings, _ context: MethodContext) throws {
        network = try ContextFreeNetwork(
            context.makeEncoder(seeing: settings.puzzle.tiles.sides(of: context.imageSize).tile), settings.puzzle,
            tileWidth: settings.tileWidth, hiddenWidth: settings.hiddenWidth)
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let chosen = batch.targets["permutations"]!
        return ContextFreeNetwork.losses(network.logits(network.codes(batch.views[0]), chosen), chosen)
    }

    public var encoder: Encoder { network.encoder }
}
