internal import Backbones
internal import Torch
internal import Views

/// The context-free network (Noroozi and Favaro 2016, section 3.1): each tile goes through the backbone and a linear layer by itself;
/// only then are all of them seen together.
final class ContextFreeNetwork: Module {
    let encoder: Encoder
    /// fc6, of each tile.
    let tile: Linear
    /// fc7 and fc8.
    let classifier: MLP
    /// [count, tiles] int64: the orders.
    private let orders: Tensor
    private let cutting: TileCutting

    init(_ encoder: Encoder, _ puzzle: PuzzleSettings, tileWidth: Int, hiddenWidth: Int) throws {
        self.encoder = encoder
        cutting = puzzle.tiles
        let set = try puzzle.permutations.orders(tiles: cutting.count)
        orders = Tensor(set.orders.flatMap { $0 }).reshaped(set.orders.count, cutting.count)
        tile = Linear(encoder.outputWidth, tileWidth)
        classifier = MLP([cutting.count * tileWidth, hiddenWidth, set.orders.count])
    }

    static func check(tileWidth: Int, hiddenWidth: Int) throws(SettingsError) {
        try SettingsCheck.positive("tileWidth", tileWidth)
        try SettingsCheck.positive("hiddenWidth", hiddenWidth)
    }

    /// The tiles' codes: a puzzle [n, 3, s, s] to [n, tiles, tileWidth].
    func codes(_ puzzle: Tensor) -> Tensor {
        let x = encoder.input(Self.tiles(puzzle, grid: cutting.grid))
        let h = encoder.backbone(cutting.normalizes ? Self.normalized(x) : x)
        return tile(h).relu().reshaped(puzzle.size(0), cutting.count, -1)
    }

    /// [n, c, s, s] to [n · grid², c, s/grid, s/grid], a picture's tiles in reading order.
    static func tiles(_ pictures: Tensor, grid: Int) -> Tensor {
        let (n, channels, side) = (pictures.size(0), pictures.size(1), pictures.size(2) / grid)
        return pictures.reshaped(n, channels, grid, side, grid, side).permuted(0, 2, 4, 1, 3, 5)
            .reshaped(n * grid * grid, channels, side, side)
    }

    /// Each channel of each tile with mean 0 and deviation 1; of one value throughout 0.
    static func normalized(_ x: Tensor) -> Tensor {
        ((x - x.mean(2, 3, keep: true)) / (x.variance(2, 3, correction: 0, keep: true) + 1e-5).sqrt()).contiguous(.channelsLast)
    }

    /// The codes in each of a sample's orders.
    /// - Parameters:
    ///   - codes: [n, tiles, w], in the first of the orders.
    ///   - chosen: [n, m] int64, rows of `orders`.
    /// - Returns: [n · m, tiles · w]
    static func reordered(_ codes: Tensor, _ chosen: Tensor, orders: Tensor) -> Tensor {
        let (n, tiles, width, m) = (codes.size(0), codes.size(1), codes.size(2), chosen.size(1))
        guard m > 1 else { return codes.flattened(from: 1) }
        let own = orders.to(chosen.device).rows(chosen.flattened()).reshaped(n, m, tiles)
        // Where in the first order each tile stands.
        let places = own.selected(1, 0).sorted(1).indices
        let sources = places.gathered(1, own.reshaped(n, m * tiles))
        return codes.gathered(1, sources.unsqueezed(2).expanded([n, m * tiles, width])).reshaped(n * m, tiles * width)
    }

    /// [n · m, count] of codes [n, tiles, w] in the orders `chosen`, [n, m].
    func logits(_ codes: Tensor, _ chosen: Tensor) -> Tensor { classifier(Self.reordered(codes, chosen, orders: orders)) }

    /// What stands where: [n, tiles] int64 of the samples' first orders.
    func shown(_ chosen: Tensor) -> Tensor { orders.to(chosen.device).rows(chosen.selected(1, 0)) }

    static func losses(_ logits: Tensor, _ chosen: Tensor) -> Losses {
        let target = chosen.flattened().to(.int64)
        let losses: Losses = ["permutation": logits.crossEntropy(target)]
        return losses.measuring("permutation_accuracy", logits.argmax(1).equal(target).to(.float32).mean())
    }
}
