import Backbones
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// Context prediction and puzzles against their definitions in float64 (generate_patches.py), and what the networks see.
@Suite struct PatchMethodsTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func check(_ name: String, _ inputs: [String], _ loss: Loss, _ wrong: [(String, Loss)]) throws {
        #expect(try mistake(name, inputs, in: "patches", loss) == nil)
        for (what, loss) in wrong { #expect(try mistake(name, inputs, in: "patches", loss) != nil, "\(what)") }
    }

    // MARK: Losses

    @Test func relativePatch() throws {
        func loss(_ x: [Tensor], _ positions: Tensor? = nil) -> Tensor {
            RelativePatch.losses(RelativePatch.pairs(x[0], 3).linear(x[1]), positions ?? x[2]).total
        }
        try check(
            "relative", ["h", "weight", "positions"], { loss($0) },
            [
                (
                    "centre and neighbour exchanged",
                    { x in
                        loss([x[0], .concatenated(x[1].chunks(2, dimension: 1).reversed(), dimension: 1), x[2]])
                    }
                ),
                ("neighbours exchanged", { loss($0, $0[2].flipped(1)) }), ("sum over neighbours", { loss($0) * 2 }),
                ("images exchanged", { loss($0, $0[2].flipped(0)) }),
                ("image by image", { loss($0, $0[2].reshaped(2, 18).t) }),
            ])
    }

    @Test func jigsaw() throws {
        func loss(_ x: [Tensor], _ chosen: Tensor? = nil, truth: Tensor? = nil) -> Tensor {
            let rows = ContextFreeNetwork.reordered(x[0], chosen ?? x[3], orders: x[2])
            return ContextFreeNetwork.losses(rows.linear(x[1]), truth ?? x[3]).total
        }
        let inputs = ["codes", "weight", "orders", "chosen"]
        try check(
            "jigsaw", inputs, { loss($0) },
            [
                (
                    "as if the tiles stood in reading order",
                    { x in
                        let own = x[2].rows(x[3].flattened()).reshaped(18, 27)
                        let rows = x[0].gathered(1, own.unsqueezed(2).expanded([18, 27, 32])).reshaped(54, 9 * 32)
                        return rows.linear(x[1]).crossEntropy(x[3].flattened())
                    }
                ),
                ("the last order first", { loss($0, $0[3].flipped(1)) }), ("sum over orders", { loss($0) * 3 }),
                ("the inverse orders", { loss([$0[0], $0[1], $0[2].sorted(1).indices, $0[3]]) }),
            ])
        try check("jigsaw_once", inputs, { loss($0) }, [("another order", { loss($0, truth: $0[3].flipped(0)) })])
    }

    @Test func coloursOfTilesThatAreThere() throws {
        func loss(_ x: [Tensor], there: Tensor? = nil) -> Tensor {
            DamagedJigsaw.colours(x[0], x[1].detached(), there ?? x[2].to(.float64))
        }
        try check(
            "colours", ["prediction", "ab", "there"], { loss($0) },
            [
                ("the missing too", { loss($0, there: .ones([20], .float64)) }), ("sum", { loss($0) * 17 }),
                ("divided by all", { loss($0) * (17.0 / 20) }),
            ])
    }

    @Test func uniformLogitsGiveTheLogarithm() {
        let uniform = ContextFreeNetwork.losses(.zeros([40, 100], .float64), Tensor((0..<40).map { $0 }).unsqueezed(1))
        #expect((uniform.total.item - 4.605170185988092).magnitude < 1e-12)
        #expect((uniform.measures[0].value.item - 1.0 / 40).magnitude < 1e-6)
    }

    // MARK: What is taken away

    /// The axis from green to magenta goes, the rest stays: a projection.
    @Test func projection() throws {
        let values = try ReferenceValues.load("patches").under("projection")
        var transform = InputTransform(mean: [0, 0, 0], deviation: [1 / 255.0, 1 / 255.0, 1 / 255.0])
        transform.colours = .withoutGreenMagenta
        let result = transform(values["pixels"])
        expectClose(result, values["result"], .float64)
        expectClose(transform(result), result, .float64)
        let grey = Tensor.rand([2, 1, 3, 3], .float64).expanded([2, 3, 3, 3]) * 255
        expectClose(transform(grey), grey, .float64)
        let channels = result.split(1, dimension: 1)
        #expect((channels[1] * 2 - channels[0] - channels[2]).abs().max().item < 1e-10)
        transform.colours = nil
        #expect(difference(transform(values["pixels"]), values["result"], .float64) != nil)
    }

    @Test func tilesAreNormalisedEachByItself() throws {
        let values = try ReferenceValues.load("patches").under("normalized")
        let tiles = ContextFreeNetwork.tiles(values["picture"], grid: 2)
        expectClose(tiles, values["tiles"], .exact)
        expectClose(ContextFreeNetwork.normalized(tiles), values["result"], .float64)
        #expect(difference(ContextFreeNetwork.normalized(values["picture"]), values["picture"], .float64) != nil)
        #expect(ContextFreeNetwork.normalized(.full([2, 3, 4, 4], 128)).abs().max().item == 0)
    }

    /// A constant added to a patch or a tile, or another contrast of a tile, changes nothing where it shall not.
    @Test func lightDoesNotTell() throws {
        Runtime.seed(6)
        let patches = Tensor.rand([12, 3, 9, 9]) * 100 + 20
        let shift = Tensor.rand([12, 3, 1, 1]) * 90
        for subtracts in [true, false] {
            let method = try RelativePatch(with(tiny(RelativePatch.Settings()), ["subtractsMean": subtracts]), tinyContext())
            method.eval()
            let changed = difference(method.features(patches + shift), method.features(patches), .float32)
            #expect((changed == nil) == subtracts, "\(changed ?? "the same")")
        }
        for normalizes in [true, false] {
            var settings = try tiny(Jigsaw.Settings())
            settings.puzzle.tiles.normalizes = normalizes
            let method = try Jigsaw(settings, tinyContext())
            method.eval()
            let puzzle = Tensor.rand([4, 3, 24, 24]) * 100
            // Other light for each tile of 8.
            let light = (Tensor.rand([4, 3, 3, 3]) + 0.5).reshaped(4, 3, 3, 1, 3, 1).expanded([4, 3, 3, 8, 3, 8]).reshaped(4, 3, 24, 24)
            let change = (method.network.codes(puzzle * light + light * 20) - method.network.codes(puzzle)).abs().max().item
            #expect((change < 1e-3) == normalizes, "\(change)")
        }
    }

    // MARK: Methods

    @Test func lossesAreThoseOfTheirParts() throws {
        Runtime.seed(8)
        let relative = try RelativePatch(with(tiny(RelativePatch.Settings()), ["pairs": 3]), tinyContext())
        relative.eval()
        var batch = noise(4, 6, side: 12)
        batch.targets["position"] = Tensor((0..<18).map { $0 % 8 }).reshaped(6, 3)
        let h = batch.views.map { relative.features($0) }
        let each = (0..<3).map { pair in
            relative.classifier(.concatenated([h[0], h[pair + 1]], dimension: 1)).crossEntropy(
                batch.targets["position"]!.selected(1, pair))
        }
        expectClose(relative.loss(batch, firstStep).total, Tensor.stacked(each).mean(), .float32)
        #expect(RelativePatch.card.leastBatch == 2 && relative.stateDict["classifier.0.weight"]?.shape == [16, 64])
    }

    @Test func damagedJigsawHasThreeParts() throws {
        Runtime.seed(9)
        var settings = try tiny(DamagedJigsaw.Settings())
        (settings.missingWeight, settings.coloursWeight) = (2, 3)
        let method = try DamagedJigsaw(settings, tinyContext())
        method.eval()
        var batch = noise(2, 5, side: 24)
        batch.targets = ["permutations": Tensor([4, 8, 15, 16, 23]).unsqueezed(1), "missing": Tensor([0, 3, 8, 5, 3]).unsqueezed(1)]
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["permutation", "missing", "colours"])
        // The missing tile and its colours, one image at a time.
        let orders = try settings.puzzle.permutations.orders(tiles: 9).orders
        let codes = method.network.codes(batch.views[0])
        let lab = InputTransform.lab(batch.views[1])
        #expect(method.missing(codes.flattened(from: 1)).shape == [5, 3, 4, 4])
        #expect(method.colours(.randn([7, 16])).shape == [7, 2, 4, 4])
        var (missing, colours): ([Tensor], [Tensor]) = ([], [])
        for image in 0..<5 {
            func target(_ tile: Int) -> Tensor {
                lab.narrowed(0, from: image, count: 1).narrowed(2, from: tile / 3 * 8, count: 8).narrowed(3, from: tile % 3 * 8, count: 8)
                    .averagePool2d(2, stride: 2)
            }
            let gone = batch.targets["missing"]!.ints[image]
            let own = codes[image]
            missing.append((method.missing(own.flattened().unsqueezed(0)) - target(gone)).squared().mean())
            for (place, tile) in orders[batch.targets["permutations"]!.ints[image]].enumerated() where tile != gone {
                let code = Tensor.concatenated([own[place], own.mean(0)]).unsqueezed(0)
                colours.append((method.colours(code) - target(tile).narrowed(1, from: 1, count: 2)).squared().mean())
            }
        }
        expectClose(losses.parts[1].value, Tensor.stacked(missing).mean() * 2, .float32)
        expectClose(losses.parts[2].value, Tensor.stacked(colours).mean() * 3, .float32)
        #expect(colours.count == 40)
    }

    /// A recipe's own views are what patches and tiles are cut from.
    @Test func ownViewsAreCut() throws {
        let own = try ViewRecipe(views: [View("photo", size: 60, [Resize(), ChromaticAberration(strength: 0.1)])])
        let patches = try RelativePatch.completing(own, RelativePatch.Settings()) as? RelativePatchViews
        #expect(patches?.before == own.views[0] && patches?.geometry == .init(patch: 26, gap: 13, jitter: 2, areas: 11003...33008))
        #expect(patches?.decodeTarget == 120)
        let puzzle = try Jigsaw.completing(own, Jigsaw.Settings()) as? JigsawViews
        #expect(puzzle?.view == own.views[0] && puzzle?.outputs[0].shape == [51, 51, 3])
        let damaged = try DamagedJigsaw.completing(own, DamagedJigsaw.Settings())
        #expect(damaged.outputs.map(\.name) == ["puzzle", "solved", "permutations", "missing"])
        #expect(try JigsawPlusPlus.completing(own, JigsawPlusPlus.Settings()).usesPartners)
        let flat = try ViewRecipe(views: [View("photo", size: ImageSize(height: 30, width: 60), [Resize()])])
        #expect(message { try Jigsaw.completing(flat, Jigsaw.Settings()) } == "puzzle: the image is 30×60, but must be square")
    }

    @Test func publishedSizes() throws {
        let relative = try RelativePatch.views(RelativePatch.Settings(), imageSize: 224) as? RelativePatchViews
        #expect(relative?.geometry == .init(patch: 96, gap: 48, jitter: 7, areas: 150_000...450_000))
        #expect(relative?.outputs.map(\.shape) == [[96, 96, 3], [96, 96, 3], [1]])
        let jigsaw = try Jigsaw.views(Jigsaw.Settings(), imageSize: 225) as? JigsawViews
        #expect(jigsaw?.outputs.map(\.shape) == [[192, 192, 3], [1]] && jigsaw?.set.orders.count == 100)
        #expect(jigsaw.map { $0.cutting.sides(of: 225) == (75, 64) } == true)
    }

    @Test func nonsenseIsRefused() throws {
        var relative = RelativePatch.Settings()
        relative.pairs = 9
        #expect(message { try relative.validate() } == "method.pairs must be 1 to 8, not 9")
        relative = RelativePatch.Settings()
        relative.minimumArea = 900_000
        #expect(message { try RelativePatch.views(relative, imageSize: 224) }?.hasPrefix("method.maximumArea must be") == true)
        var twisted = JigsawPlusPlus.Settings()
        twisted.foreignTiles = 3
        #expect(message { try twisted.validate() }?.contains("minimumDistance must be above method.foreignTiles (3), not 3") == true)
        var puzzle = Jigsaw.Settings()
        puzzle.puzzle.tiles.grid = 4
        #expect(message { try puzzle.validate() } == "method.puzzle.tiles: grid is 4, but must be 2 or 3")
        puzzle = Jigsaw.Settings()
        puzzle.puzzle.tiles.side = 80
        #expect(message { try Jigsaw.views(puzzle, imageSize: 225) } == "puzzle: tiles of 80 pixels do not fit into cells of 75")
        puzzle = Jigsaw.Settings()
        puzzle.puzzle.perBatch = 200
        #expect(message { try Jigsaw.views(puzzle, imageSize: 225) }?.contains("cannot draw from 200 of 100 orders") == true)
        var damaged = DamagedJigsaw.Settings()
        damaged.decodedSide = 6
        #expect(message { try damaged.validate() } == "method.decodedSide must be a multiple of 4, not 6")
    }
}
