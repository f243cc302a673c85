/// An image as a puzzle: its tiles in another order, and which order that is (Noroozi and Favaro 2016), perhaps with some tiles of
/// another image (Noroozi et al. 2018), or without one tile and all colours (Kim et al. 2018).
///
/// Outputs: `puzzle`, the tiles side by side, place j showing tile σ(j); if damaged `solved`, the whole picture in its order and
/// colours, and `missing`, the tile of it that `puzzle` shows grey; and `permutations`, [each] of 0 ..< count: σ first, and others that
/// the same tiles could stand in.
public struct JigsawViews: ViewMaker {
    /// What the tiles meet beside their order.
    public enum Damage: Sendable, Equatable {
        case none
        /// From none up to so many tiles are the next image's of the batch.
        case foreign(Int)
        /// One tile is missing, and colours are.
        case missing
    }

    static let permutations = "permutations"
    static let missing = "missing"

    public let outputs: [OutputSpec]
    /// The image that is cut.
    public let view: View
    public let cutting: TileCutting
    public let set: PermutationSet
    public let perImage: Int
    public let perBatch: Int
    public let damage: Damage
    private let cell: Int
    private let tile: Int

    /// - Parameters:
    ///   - view: a square image.
    ///   - perImage: orders of each image.
    ///   - perBatch: orders that one batch draws from; 0 for all.
    public init(
        _ view: View, _ cutting: TileCutting, _ choice: PermutationChoice, perImage: Int = 1, perBatch: Int = 0, damage: Damage = .none
    ) throws(AugmentationError) {
        let check = Check(augmentation: "puzzle")
        try view.validate()
        try cutting.validate()
        try check.holds(view.size.height == view.size.width, "the image is \(view.size), but must be square")
        let (cell, tile) = cutting.sides(of: view.size.height)
        try check.holds(tile <= cell && tile >= 1, "tiles of \(tile) pixels do not fit into cells of \(cell)")
        let drawn = perBatch == 0 ? choice.count : perBatch
        try check.holds(perBatch >= 0 && perBatch <= choice.count, "a batch cannot draw from \(perBatch) of \(choice.count) orders")
        try check.holds(perImage >= 1 && perImage <= drawn, "an image cannot have \(perImage) of \(drawn) orders")
        if case .foreign(let most) = damage {
            try check.holds((0..<cutting.count).contains(most), "\(most) of \(cutting.count) tiles cannot be of another image")
            try check.holds(
                choice.minimumDistance > most,
                "orders that differ in \(choice.minimumDistance) tiles cannot be told when \(most) are of another image: raise "
                    + "permutations.minimumDistance to \(most + 1)")
        }
        set = try choice.orders(tiles: cutting.count)
        self.view = view
        self.cutting = cutting
        self.perImage = perImage
        self.perBatch = perBatch
        self.damage = damage
        (self.cell, self.tile) = (cell, tile)
        let size = ImageSize(cutting.grid * tile)
        outputs =
            [.image("puzzle", size)] + (damage == .missing ? [.image("solved", size)] : [])
            + [OutputSpec(name: Self.permutations, element: .int64, shape: [perImage])]
            + (damage == .missing ? [OutputSpec(name: Self.missing, element: .int64, shape: [1])] : [])
    }

    public var decodeTarget: Int? { view.decodeTarget }
    public var usesPartners: Bool { if case .foreign(let most) = damage { most > 0 } else { false } }

    public func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch
    ) {
        let tiles = cutting.count
        var random = key.view(stream: 1).random()
        let orders = self.orders(key)
        let isGrey = random.bernoulli(cutting.greyShare)
        /// The place in the puzzle of each tile.
        var places = [Int](repeating: 0, count: tiles)
        for (place, tile) in set.orders[orders[0]].enumerated() { places[tile] = place }
        load(image, key, isGrey: isGrey && damage != .missing, scratch.canvas)
        // Channels that move would give a grey image colours, and the colours that are to be told wrong edges.
        let moves = !isGrey && damage != .missing
        let cuts = (0..<tiles).map { cut($0, moves: moves, &random) }
        switch damage {
        case .none: draw(cuts, at: places, scratch.canvas, outputs.pixels(0))
        case .foreign(let most):
            draw(cuts, at: places, scratch.canvas, outputs.pixels(0))
            let count = random.integer(below: most + 1)
            let replaced = Array(random.permutation(tiles).prefix(count))
            let sources = replaced.map { _ in cut(random.integer(below: tiles), moves: moves, &random) }
            if count > 0, let other = partners.image(1) {
                // As grey as the image itself: it shall not be told by that.
                load(other, key, isGrey: isGrey, scratch.canvas)
                draw(sources, at: replaced.map { places[$0] }, scratch.canvas, outputs.pixels(0))
            }
        case .missing:
            draw(cuts, at: Array(0..<tiles), scratch.canvas, outputs.pixels(1))
            scratch.canvas.grayscale()
            draw(cuts, at: places, scratch.canvas, outputs.pixels(0))
            let missing = random.integer(below: tiles)
            erase(places[missing], outputs.pixels(0))
            outputs.integers(3)[0] = Int64(missing)
        }
        let index = damage == .missing ? 2 : 1
        for (i, order) in orders.enumerated() { outputs.integers(index)[i] = Int64(order) }
    }

    /// The sample's orders, all different, of those that its batch draws from.
    private func orders(_ key: SampleKey) -> [Int] {
        var common = key.common(stream: 2).random()
        let all = set.orders.count
        let drawn = perBatch == 0 ? Array(0..<all) : Array(common.permutation(all).prefix(perBatch))
        var own = key.view(stream: 2).random()
        if perImage == 1 { return [drawn[own.integer(below: drawn.count)]] }
        return own.permutation(drawn.count).prefix(perImage).map { drawn[$0] }
    }

    private func load(_ image: PixelImage, _ key: SampleKey, isGrey: Bool, _ canvas: Canvas) {
        canvas.load(image, target: view.size)
        canvas.apply(view.augmentations, key: key.view(stream: 0))
        if isGrey { canvas.grayscale() }
    }

    private struct Cut {
        let box: PixelBox
        /// See `Canvas.write`.
        let moves: [(x: Int, y: Int)]?
    }

    /// A tile at a random place of a cell.
    private func cut(_ index: Int, moves: Bool, _ random: inout ViewRandom) -> Cut {
        let y = index / cutting.grid * cell + random.integer(below: cell - tile + 1)
        let x = index % cutting.grid * cell + random.integer(below: cell - tile + 1)
        func move() -> Int { random.integer(below: 2 * cutting.channelJitter + 1) - cutting.channelJitter }
        let each = (0..<3).map { _ in (x: move(), y: move()) }
        return Cut(box: PixelBox(x: x, y: y, width: tile, height: tile), moves: moves && cutting.channelJitter > 0 ? each : nil)
    }

    private func draw(_ cuts: [Cut], at places: [Int], _ canvas: Canvas, _ picture: UnsafeMutablePointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: tile * tile * 3) { pixels in
            for (cut, place) in zip(cuts, places) {
                canvas.write(cut.box, moves: cut.moves, to: pixels.baseAddress!)
                for row in 0..<tile {
                    (picture + start(place, row)).update(from: pixels.baseAddress! + row * tile * 3, count: tile * 3)
                }
            }
        }
    }

    /// A place becomes mid-grey.
    private func erase(_ place: Int, _ picture: UnsafeMutablePointer<UInt8>) {
        for row in 0..<tile { (picture + start(place, row)).update(repeating: 128, count: tile * 3) }
    }

    /// Where a row of a place begins in a picture.
    private func start(_ place: Int, _ row: Int) -> Int {
        ((place / cutting.grid * tile + row) * cutting.grid + place % cutting.grid) * tile * 3
    }

    public func captions(of outputs: OutputBuffers) -> [String] {
        let index = damage == .missing ? 2 : 1
        let order = Int(outputs.integers(index)[0])
        let shown = set.orders[order].map { "\($0 + 1)" }.joined(separator: " ")
        return ["order \(order) of \(set.orders.count): \(shown)"]
            + (damage == .missing ? ["missing: tile \(outputs.integers(3)[0] + 1)"] : [])
    }
}
