public import Backbones
public import Torch
public import Views

/// Jigsaw++: Boosting Self-Supervised Learning via Knowledge Transfer (Noroozi et al. 2018, arXiv:1805.00385, section 3).
///
/// Jigsaw's loss on puzzles of which some tiles are another image's: the network has to find out first which tiles belong together.
/// Orders differ in more tiles than can be replaced, so that the others tell which order it is.
public final class JigsawPlusPlus: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Another image's tiles, from none up to this many, all numbers equally likely.
        public var foreignTiles = 2
        public var puzzle = PuzzleSettings(permutations: PermutationChoice(count: 100, minimumDistance: 3))
        /// Of the layer that each tile has by itself.
        public var tileWidth = 512
        /// Of the layer that sees all tiles.
        public var hiddenWidth = 4096

        public init() {}

        public func validate() throws(SettingsError) {
            try puzzle.validate()
            try SettingsCheck.notNegative("foreignTiles", foreignTiles)
            try SettingsCheck.require(
                puzzle.permutations.minimumDistance > foreignTiles,
                "method.puzzle.permutations.minimumDistance must be above method.foreignTiles (\(foreignTiles)), not "
                    + "\(puzzle.permutations.minimumDistance): else two orders may look the same")
            try ContextFreeNetwork.check(tileWidth: tileWidth, hiddenWidth: hiddenWidth)
        }
    }

    public static let card = MethodCard(
        name: "jigsaw_plus_plus", title: "Jigsaw++", family: .pretext, paper: "Noroozi et al. 2018, arXiv:1805.00385",
        summary: "tells the order of an image's tiles, some of which are another image's", hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try settings.puzzle.views(.puzzle(ImageSize(imageSize)), .foreign(settings.foreignTiles))
    }

    /// Tiles are cut from the first of the views.
    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker {
        try settings.puzzle.views(views.views[0], .foreign(settings.foreignTiles))
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
