import Backbones
import TestSupport
import Testing
import Torch

@testable import Methods

/// Masked modelling against its formulas in float64 (generate_methods_masked.py), masks, and what the networks see.
@Suite struct MaskedModellingTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func check(_ name: String, _ inputs: [String], _ loss: Loss, _ wrong: [(String, Loss)]) throws {
        #expect(try mistake(name, inputs, in: "methods_masked", loss) == nil)
        for (what, loss) in wrong { #expect(try mistake(name, inputs, in: "methods_masked", loss) != nil, "\(what)") }
    }

    // MARK: Losses

    @Test func mae() throws {
        func loss(_ x: [Tensor], normalizes: Bool = true) -> Tensor {
            MAE.reconstruction(x[0], x[1].detached(), hidden: x[2], normalizes: normalizes)
        }
        try check(
            "mae", ["prediction", "values", "hidden"], { loss($0) },
            [
                ("not normalised", { loss($0, normalizes: false) }), ("sum", { loss($0) * 7 }),
                (
                    "biased variance",
                    { x in
                        let target = x[1].detached()
                        let scaled = (target - target.mean(-1, keep: true)) / (target.variance(-1, correction: 0, keep: true) + 1e-6).sqrt()
                        return MAE.reconstruction(x[0], scaled, hidden: x[2], normalizes: false)
                    }
                ),
                (
                    "all patches",
                    { x in
                        loss([x[0], x[1], Tensor.arange(9).unsqueezed(0).expanded([16, 9])])
                    }
                ),
            ])
    }

    @Test func overHiddenPatches() throws {
        let inputs = ["prediction", "values", "mask"]
        try check(
            "simmim", inputs, { SimMIM.reconstruction($0[0], $0[1].detached(), $0[2]) },
            [
                ("visible ones", { SimMIM.reconstruction($0[0], $0[1].detached(), $0[2].not) }),
                ("squares", { MaskFeat.reconstruction($0[0], $0[1].detached(), $0[2]) }),
            ])
        try check(
            "maskfeat", inputs, { MaskFeat.reconstruction($0[0], $0[1].detached(), $0[2]) },
            [("visible ones", { MaskFeat.reconstruction($0[0], $0[1].detached(), $0[2].not) })])
        try check(
            "data2vec", inputs, { Data2Vec.regression($0[0], $0[1], $0[2], beta: 1.3) },
            [
                ("β", { Data2Vec.regression($0[0], $0[1], $0[2], beta: 1) }),
                ("visible ones", { Data2Vec.regression($0[0], $0[1], $0[2].not, beta: 1.3) }),
                ("Huber's", { Data2Vec.regression($0[0], $0[1], $0[2], beta: 1.3) * 1.3 }),
            ])
        // Nothing hidden is no loss.
        let x = Tensor.randn([2, 4, 3])
        #expect(SimMIM.reconstruction(x, x + 1, Tensor.zeros([2, 4]).greater(0.5)).item == 0)
    }

    @Test func data2vecTargets() throws {
        let values = try ReferenceValues.load("methods_masked").under("data2vec_targets")
        let blocks = (0..<3).map { values["block\($0)"] }
        expectClose(Data2Vec.targets(blocks), values["targets"], .float64)
        #expect(difference(Tensor.stacked(blocks).mean(0).standardized(), values["targets"], .float64) != nil, "averaged first")
    }

    @Test func ijepa() throws {
        try check(
            "ijepa", ["p0", "p1", "t0", "t1"], { IJEPA.prediction([$0[0], $0[1]], [$0[2], $0[3]]) },
            [
                ("blocks exchanged", { IJEPA.prediction([$0[0], $0[1]], [$0[3], $0[2]]) }),
                ("sum of blocks", { IJEPA.prediction([$0[0], $0[1]], [$0[2], $0[3]]) * 2 }),
                ("one block", { IJEPA.prediction([$0[0]], [$0[2]]) + $0[1].sum() * 0 }),
            ])
    }

    @Test func ibot() throws {
        func loss(_ x: [Tensor], _ temperatures: (Double, Double) = (0.7, 0.3)) -> Tensor {
            let hidden = IBOT.Hidden(x[2], on: .cpu)
            return IBOT.maskedPatches(
                hidden.rows(of: x[0]), hidden.rows(of: x[1]), hidden.weights, centre: x[3].detached(), studentTemperature: temperatures.0,
                teacherTemperature: temperatures.1)
        }
        try check(
            "ibot", ["student", "teacher", "mask", "centre"], { loss($0) },
            [
                ("temperatures exchanged", { loss($0, (0.3, 0.7)) }), ("visible ones", { loss([$0[0], $0[1], $0[2].not, $0[3]]) }),
                ("no centre", { loss([$0[0], $0[1], $0[2], $0[3] * 0]) }),
                (
                    "all hidden patches alike, whatever their image",
                    { x in
                        let target = ((x[1].detached() - x[3].detached()) / 0.3).softmax()
                        return (-(target * (x[0] / 0.7).logSoftmax()).sum(-1)).mean(where: x[2])
                    }
                ),
            ])
    }

    @Test func msn() throws {
        func loss(_ x: [Tensor], weight: Double = 1.7, temperature: Double = 0.4, sharpening: Double = 0.6) -> Tensor {
            let parts = MSN.assignment([x[0], x[1]], x[2], x[3], temperature: temperature, sharpening: sharpening, sinkhornIterations: 0)
            return parts.crossEntropy - parts.meanEntropy * weight
        }
        try check(
            "msn", ["a0", "a1", "target", "prototypes"], { loss($0) },
            [
                ("weight", { loss($0, weight: 1) }), ("sign of the entropy", { loss($0, weight: -1.7) }),
                ("not sharpened", { loss($0, sharpening: 1) }), ("temperature", { loss($0, temperature: 0.5) }),
                ("targets shifted", { loss([$0[0], $0[1], $0[2].rolled(1, dimension: 0), $0[3]]) }),
            ])
    }

    @Test func msnWithBalancedTargets() throws {
        func loss(_ x: [Tensor], iterations: Int = 3) -> Tensor {
            MSN.assignment([x[0]], x[1], x[2], temperature: 0.4, sharpening: 0.6, sinkhornIterations: iterations).crossEntropy
        }
        try check(
            "msn_balanced", ["a0", "target", "prototypes"], { loss($0) },
            [("not balanced", { loss($0, iterations: 0) }), ("fewer iterations", { loss($0, iterations: 2) })])
    }

    // MARK: HOG

    @Test func histogramsAreScikitImages() throws {
        let values = try ReferenceValues.load("methods_masked").under("hog")
        for (name, cell, bins) in [("eight", 8, 9), ("four", 4, 6)] {
            let image = values["\(name).image"]
            let expected = values["\(name).histograms"]
            // A channel beside it changes nothing.
            let two = Tensor.stacked([image, image * 0.5 + 3]).unsqueezed(0)
            let found = HOG.histograms(two, cell: cell, bins: bins)
            #expect(found.shape == [1, 2 * bins, image.size(0) / cell, image.size(1) / cell])
            expectClose(found[0][0..<bins], expected, .float32)
            #expect(
                difference(HOG.histograms(two.transposed(), cell: cell, bins: bins)[0][0..<bins].transposed(), expected, .float32) != nil)
            expectClose(found[0][0..<bins].norm(0), .ones([image.size(0) / cell, image.size(1) / cell], .float64), .float32)
        }
        // No gradient, no histogram.
        #expect(HOG.histograms(.ones([1, 1, 8, 8]), cell: 4).abs().max().item == 0)
    }

    // MARK: Masks

    private let grid = PatchGrid(rows: 8, columns: 6)

    @Test func orders() {
        Runtime.seed(1)
        let orders = PatchMasks.orders(20, 48, on: .cpu)
        #expect(orders.sorted(1).values.ints == (0..<20).flatMap { _ in 0..<48 })
        #expect(Set((0..<20).map { orders[$0].ints }).count == 20)
    }

    @Test func squares() {
        Runtime.seed(2)
        let mask = PatchMasks.squares(50, grid, unit: 2, ratio: 0.6, on: .cpu)
        #expect(mask.shape == [50, 48])
        // 12 squares, of which ⌈7.2⌉ are hidden whole.
        #expect(mask.to(.int64).sum(1).ints.allSatisfy { $0 == 32 })
        let map = mask.to(.float32).reshaped(50, 1, 8, 6)
        let means = map.averagePool2d(2, stride: 2)
        #expect((means * (1 - means)).abs().max().item == 0)
        let use = mask.to(.float32).mean(0)
        #expect(use.min().item > 0.4 && use.max().item < 0.9)
        // A grid that squares do not fill.
        #expect(PatchMasks.squares(3, PatchGrid(rows: 5, columns: 7), unit: 2, ratio: 0.5, on: .cpu).shape == [3, 35])
    }

    @Test func blocks() {
        Runtime.seed(3)
        let ratios = (0..<60).map { Double($0 % 4) * 0.2 }
        let mask = PatchMasks.blocks(ratios, grid, least: 4, on: .cpu).to(.float32)
        for (image, ratio) in ratios.enumerated() {
            let hidden = Int(mask[image].sum().item)
            let wanted = Int((ratio * 48).rounded())
            #expect(hidden <= wanted && Double(hidden) >= 0.6 * Double(wanted), "\(hidden) of \(wanted)")
        }
        // Neighbours are hidden together more often than by chance.
        let rows = mask.reshaped(60, 8, 6)
        let pairs = (rows.narrowed(2, from: 0, count: 5) * rows.narrowed(2, from: 1, count: 5)).mean().item
        let chance = (mask.mean(1).squared()).mean().item
        #expect(pairs > 1.2 * chance, "\(pairs) and \(chance)")
    }

    @Test func contextAndTargets() {
        Runtime.seed(4)
        for _ in 0..<20 {
            let blocks = PatchMasks.contextAndTargets(
                12, grid, targets: 4, targetScale: 0.15...0.2, targetAspect: 0.75...1.5, contextScale: 0.85...1, on: .cpu)
            #expect(blocks.targets.count == 4 && blocks.context.size(0) == 12 && blocks.context.size(1) >= 1)
            for image in 0..<12 {
                let context = blocks.context[image].ints
                #expect(Set(context).count == context.count && context == context.sorted())
                for target in blocks.targets {
                    let places = target[image].ints
                    #expect(Set(places).isDisjoint(with: context))
                    #expect((4...12).contains(places.count) && places.allSatisfy { (0..<48).contains($0) })
                    // A rectangle.
                    let (rows, columns) = (Set(places.map { $0 / 6 }), Set(places.map { $0 % 6 }))
                    #expect(rows.count * columns.count == places.count)
                    #expect(rows.max()! - rows.min()! + 1 == rows.count && columns.max()! - columns.min()! + 1 == columns.count)
                }
            }
        }
    }

    // MARK: Networks

    @Test func decoderPutsPatchesInTheirPlaces() throws {
        Runtime.seed(5)
        let grid = PatchGrid(rows: 4, columns: 4)
        let decoder = PatchDecoder(12, width: 16, depth: 2, heads: 2, outputs: 5, grid: grid)
        let tokens = Tensor.randn([3, 7, 12])
        let order = PatchMasks.orders(3, 16, on: .cpu)
        let all = decoder.all(tokens, prefix: 1, order: order)
        #expect(all.shape == [3, 16, 5])
        // The order in which visible patches are given does not matter, nor that of the hidden ones.
        let swap = Tensor([0, 3, 1, 2, 6, 5, 4])
        let visible = (swap.narrowed(0, from: 1, count: 6) - 1).to(.int64)
        let other = Tensor.concatenated(
            [order.narrowed(1, from: 0, count: 6).rows(visible, dimension: 1), order.narrowed(1, from: 6, count: 10).flipped(1)],
            dimension: 1)
        expectClose(decoder.all(tokens.rows(swap, dimension: 1), prefix: 1, order: other), all, .float32)
        #expect(difference(decoder.all(tokens, prefix: 1, order: other), all, .float32) != nil)
        // The same by places.
        let context = order.narrowed(1, from: 0, count: 6)
        let targets = order.narrowed(1, from: 6, count: 3)
        let some = decoder.at(targets, tokens.narrowed(1, from: 1, count: 6), context: context)
        #expect(some.shape == [3, 3, 5])
        let turned = decoder.at(targets.flipped(1), tokens.narrowed(1, from: 1, count: 6), context: context)
        expectClose(turned.flipped(1), some, .float32)
    }

    @Test func valuesOfPatches() {
        let x = Tensor.arange(2 * 3 * 4 * 6, .float32).reshaped(2, 3, 4, 6)
        let values = PatchEncoder.values(x, patchSize: 2)
        #expect(values.shape == [2, 6, 12])
        for (image, patch, row, column, colour) in [(0, 0, 0, 0, 0), (1, 4, 1, 0, 2), (0, 5, 0, 1, 1)] {
            let expected = x[image][colour][patch / 3 * 2 + row][patch % 3 * 2 + column].item
            #expect(values[image][patch][(row * 2 + column) * 3 + colour].item == expected)
        }
    }

    @Test(arguments: ["mae", "simmim", "maskfeat", "ijepa", "data2vec", "ibot", "msn"]) func learns(_ name: String) throws {
        try expectLearning(name, patchContext(), noise(2, 16))
    }

    @Test func refusals() throws {
        #expect(
            message { try MAE(MAE.Settings(), tinyContext()) }
                == "backbone.name: the method hides patches, which resnet18 does not have; take a transformer such as vit_tiny")
        #expect(
            message { try MAE(MAE.Settings(), patchContext(imageSize: 18)) }?.contains("multiple of the patches' side (4), not 18") == true)
        var maskFeat = MaskFeat.Settings()
        maskFeat.cellSize = 3
        #expect(message { try MaskFeat(maskFeat, patchContext()) }?.contains("method.cellSize must divide the patches' side (4)") == true)
        var mae = MAE.Settings()
        mae.decoderWidth = 30
        #expect(message { try mae.validate() } == "method.decoderWidth must be a multiple of 4 and of decoderHeads (16), not 30")
        var jepa = IJEPA.Settings()
        jepa.targetScale = [0.5, 0.2]
        #expect(message { try jepa.validate() }?.contains("method.targetScale must be two rising numbers") == true)
    }
}
