import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// Methods that compare places or patches, or colours of an image: losses against their formulas in float64
/// (generate_methods_joint.py), with wrong variants that must be noticed.
@Suite struct LocalFeatureTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func expectNoticed(_ name: String, _ inputs: [String], _ wrong: [(String, Loss)]) throws {
        for (what, loss) in wrong { #expect(try mistake(name, inputs, loss) != nil, "\(what)") }
    }

    // MARK: AMDIM

    @Test func amdim() throws {
        func loss(_ x: [Tensor], limit: Double = 2.5, weight: Double = 0.07) -> Tensor {
            let scores = AMDIM.scores(x[0], x[1])
            return AMDIM.contrast(scores, limit: limit) + scores.squared().mean() * weight
        }
        let inputs = ["source", "target"]
        #expect(try mistake("amdim", inputs) { loss($0) } == nil)
        try expectNoticed(
            "amdim", inputs,
            [
                ("limit", { loss($0, limit: 20) }), ("penalty", { loss($0, weight: 0) }),
                ("images shifted", { loss([$0[0].rolled(1, dimension: 0), $0[1]]) }),
                ("a place left out", { loss([$0[0], $0[1].narrowed(1, from: 0, count: 5)]) }),
                ("scores unscaled", { loss([$0[0] * sqrt(32.0), $0[1]]) }),
            ])
        // All scores equal: the own place among it and all places of the 15 others.
        let even = AMDIM.contrast(.zeros([16, 16, 7], .float64), limit: 20)
        expectClose(even, Tensor(scalar: log(1 + 15 * 7.0)), .float64)
    }

    @Test func amdimReadsBothViewsAtEveryLevel() throws {
        Runtime.seed(31)
        let method = try AMDIM(tiny(AMDIM.Settings()), tinyContext(imageSize: 32))
        let losses = method.loss(noise(2, 16, side: 32), firstStep)
        #expect(losses.parts.map(\.name) == ["info_nce", "score_penalty"])
        losses.total.backward()
        #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
        // 2 directions × (2 levels + local to local), which a network that knows nothing tells by chance.
        #expect((losses.parts[0].value.item - log(1 + 15 * 32.0)).magnitude < 2)
    }

    // MARK: CPC v2

    @Test func cpc() throws {
        let inputs = ["predictions", "targets"]
        #expect(try mistake("cpc", inputs) { CPC.contrast($0[0], $0[1]) } == nil)
        try expectNoticed(
            "cpc", inputs,
            [
                ("columns shifted", { CPC.contrast($0[0].rolled(1, dimension: 2), $0[1]) }),
                ("offset", { CPC.contrast($0[0].narrowed(1, from: 0, count: 2), $0[1]) }),
                ("targets normalised", { CPC.contrast($0[0], $0[1].normalized()) }),
            ])
        // All alike: ln of all patches.
        let flat = Tensor.ones([4, 7, 7, 8], .float64)
        expectClose(CPC.contrast(flat.narrowed(1, from: 0, count: 4), flat), Tensor(scalar: log(4 * 49.0)), .float64)
    }

    /// c_ij sees rows up to i, all of those above after enough blocks, and nothing below.
    @Test func contextSeesNoRowBelow() {
        Runtime.seed(32)
        let context = ContextNetwork(width: 12, hidden: 6, blocks: 6)
        let z = Tensor.randn([2, 12, 7, 7])
        let c = context(z).detached()
        for row in 0..<7 {
            let changed = z.cloned()
            changed.narrowed(2, from: row, count: 1).addInPlace(.randn([2, 12, 1, 7]))
            let moved = (context(changed).detached() - c).abs().sum(0, 1, 3).doubles
            for other in 0..<7 { #expect((moved[other] > 0) == (other >= row), "row \(row) seen from \(other)") }
        }
        // Sideways as well; much, because the last column feels the first one through a single path.
        let changed = z.cloned()
        changed.narrowed(3, from: 0, count: 1).addInPlace(.randn([2, 12, 7, 1]) * 1000)
        #expect((context(changed).detached() - c).abs().sum(0, 1, 2).doubles.allSatisfy { $0 > 0 })
    }

    @Test func directionsAreOfTheGrid() {
        let z = Tensor.arange(12, .float64).reshaped(1, 3, 4, 1)
        func first(_ direction: Int) -> [Int] { CPC.turned(z, direction)[0][0].flattened().ints }
        #expect(first(0) == [0, 1, 2, 3] && first(1) == [8, 9, 10, 11] && first(2) == [0, 4, 8] && first(3) == [3, 7, 11])
    }

    @Test func patchesOverlapByHalfAndLoseColours() throws {
        Runtime.seed(33)
        let method = try CPC(tiny(CPC.Settings()), tinyContext())
        let batch = noise(1, 16)
        let patches = method.encoder.patches(batch.views[0])
        #expect(patches.shape == [16 * 49, 3, 4, 4])
        let whole = method.encoder.input(batch.views[0])
        // Image 3, row 2, column 5.
        expectSame(patches[3 * 49 + 2 * 7 + 5], whole[3].narrowed(1, from: 4, count: 4).narrowed(2, from: 10, count: 4))
        // The representation is their mean; no batch statistics anywhere.
        let h = method.encoder(batch.views[0]).detached()
        expectClose(h, method.encoder.backbone(patches).reshaped(16, 49, 32).mean(1).detached(), .float32)
        expectClose(method.encoder(batch.views[0][0..<2]).detached(), h[0..<2], Tolerance(relative: 1e-4, absolute: 1e-4))
        #expect(!method.encoder.stateDict.keys.contains { $0.hasSuffix("running_mean") })
        let dropped = CPC.droppingColours(.ones([4000, 3, 2, 2]), probability: 0.8).mean(2, 3)
        let kept = dropped.sum(1).doubles
        #expect(kept.allSatisfy { $0 == 1 || $0 == 3 })
        #expect((Double(kept.count(where: { $0 == 1 })) / 4000 - 0.8).magnitude < 0.03)
        #expect(dropped.mean(0).doubles.allSatisfy { ($0 - (0.2 + 0.8 / 3)).magnitude < 0.04 })
    }

    /// Each patch by itself, by factors that can be read off again.
    @Test func cpcChangesColoursOfEachPatch() {
        Runtime.seed(9)
        let x = Tensor.randn([1, 3, 4, 4], .float32).expanded([3000, 3, 4, 4]).contiguous()
        #expect(difference(CPC.jittered(x, by: 0, grey: 0), x, .exact) == nil)
        let y = CPC.jittered(x, by: 0.4, grey: 0.25).to(.float64)
        let (before, greyBefore, grey) = (x.to(.float64), x.to(.float64).mean(1, keep: true), y.mean(1, keep: true))
        // Brightness moves the mean; contrast is the spread of grey about it; saturation that of channels about grey, times contrast.
        let brightness = (y.flattened(from: 1).mean(1) - before.flattened(from: 1).mean(1)).doubles
        func spread(_ t: Tensor) -> Tensor {
            (t - t.flattened(from: 1).mean(1).reshaped(-1, 1, 1, 1)).squared().flattened(from: 1).sum(1).sqrt()
        }
        let contrast = (spread(grey) / spread(greyBefore)).doubles
        func colour(_ t: Tensor, _ grey: Tensor) -> Tensor { (t - grey).squared().flattened(from: 1).sum(1).sqrt() }
        let saturation = zip((colour(y, grey) / colour(before, greyBefore)).doubles, contrast).map { $0 / $1 }
        let inColour = saturation.filter { $0 > 1e-3 }
        #expect((Double(inColour.count) / 3000 - 0.75).magnitude < 0.03)
        for (values, centre) in [(brightness, 0), (contrast, 1), (inColour, 1.0)] {
            #expect(values.allSatisfy { ($0 - centre).magnitude < 0.4001 })
            #expect((values.reduce(0, +) / Double(values.count) - centre).magnitude < 0.02)
            #expect(values.max()! > centre + 0.38 && values.min()! < centre - 0.38)
        }
    }

    // MARK: VICRegL

    @Test func vicRegL() throws {
        let values = try ReferenceValues.load("methods_joint").under("vicregl")
        let points = [values["points0"], values["points1"]]
        func criterion(_ a: Tensor, _ b: Tensor) -> Tensor {
            VICReg.invariance(a, b) * 3 + (VICReg.variance(a) + VICReg.variance(b)) * 5
                + (VICReg.covariance(a) + VICReg.covariance(b)) * 0.7
        }
        let inputs = ["y0", "y1"]
        #expect(try mistake("vicregl", inputs) { VICRegL.local($0, nearest: points, matches: 4, criterion) } == nil)
        #expect(
            try mistake("vicregl_features", inputs) {
                VICRegL.local($0, nearest: $0.map { $0.detached() }, matches: 4, criterion)
            } == nil)
        try expectNoticed(
            "vicregl", inputs,
            [
                ("matches", { VICRegL.local($0, nearest: points, matches: 5, criterion) }),
                ("places exchanged", { VICRegL.local($0, nearest: points.reversed(), matches: 4, criterion) }),
                ("by features", { VICRegL.local($0, nearest: $0.map { $0.detached() }, matches: 4, criterion) }),
                ("no variance", { VICRegL.local($0, nearest: points, matches: 4) { VICReg.invariance($0, $1) * 3 } }),
            ])
    }

    @Test func placesAreWhereTheViewsLie() {
        // The right lower quarter, and the whole mirrored.
        let regions = Tensor([0.5, 0.5, 1, 1, 0, 1, 1, 0], [2, 4])
        let places = VICRegL.places(regions, height: 2, width: 2)
        expectClose(places[0], Tensor([0.625, 0.625, 0.625, 0.875, 0.875, 0.625, 0.875, 0.875], [4, 2]), .float64)
        expectClose(places[1], Tensor([0.25, 0.75, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25], [4, 2]), .float64)
        // Each finds its own cell of the other.
        let (own, other) = VICRegL.pairs(places[1].unsqueezed(0), places[1].flipped(0).unsqueezed(0), matches: 9)
        #expect(own.shape == [1, 4])
        for (p, q) in zip(own.flattened().ints, other.flattened().ints) { #expect(p + q == 3) }
    }

    // MARK: CMC

    @Test func cmcSetsEachAgainstTheOthersMemory() throws {
        Runtime.seed(34)
        var settings = try tiny(CMC.Settings())
        settings.negatives = 0
        let method = try CMC(settings, tinyContext())
        let batch = noise(1, 16)
        let h = method.encoder(batch.views[0])
        #expect(h.shape == [16, 32])
        let f = zip(method.heads, h.chunks(2, dimension: 1)).map { $0($1).normalized().detached() }
        let banks = method.memories.map { $0.bank.entries.value.cloned() }
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["lightness", "colours"])
        expectClose(losses.parts[0].value, ContrastiveBank.softmax(f[0], banks[1], batch.indices, temperature: 0.07), .float32)
        expectClose(losses.parts[1].value, ContrastiveBank.softmax(f[1], banks[0], batch.indices, temperature: 0.07), .float32)
        method.afterStep(batch, firstStep)
        for view in 0..<2 {
            let now = method.memories[view].bank.entries.value
            expectClose(now[0..<16], (banks[view][0..<16] * 0.5 + f[view] * 0.5).normalized(), .float32)
            expectSame(now[16..<100], banks[view][16..<100])
        }
        // Grey images say nothing to the network of colours, bright or dark.
        let grey = Tensor.full([2, 3, 16, 16], 40, .uint8)
        grey[1].copyInPlace(.full([3, 16, 16], 200, .uint8))
        let seen = method.encoder.evaluating { method.encoder(grey).detached() }
        func half(_ image: Int, _ from: Int) -> Tensor { seen[image].narrowed(0, from: from, count: 16) }
        expectClose(half(0, 16), half(1, 16), Tolerance(relative: 1e-3, absolute: 1e-3))
        #expect((half(0, 0) - half(1, 0)).abs().max().item > 1e-2)
    }

    // MARK: All4One

    @Test func all4One() throws {
        let inputs = ["z0", "z1", "past0", "past1"]
        func loss(_ x: [Tensor]) -> Tensor { All4One.featureLoss([x[0], x[1]], [x[2].detached(), x[3].detached()]) }
        #expect(try mistake("all4one_features", inputs) { loss($0) } == nil)
        try expectNoticed(
            "all4one_features", inputs,
            [
                ("views not crossed", { loss([$0[1], $0[0], $0[2], $0[3]]) }),
                ("rows shifted", { loss([$0[0].rolled(1, dimension: 0), $0[1], $0[2], $0[3]]) }),
                ("sum", { loss($0) * 32 }), ("gradient into the past", { All4One.featureLoss([$0[0], $0[1]], [$0[2], $0[3]]) }),
            ])
        let values = try ReferenceValues.load("methods_joint")
        let transformer = NeighbourTransformer(width: 32, heads: 4, layers: 2, dropout: 0)
        transformer.convert(to: .float64)
        try transformer.load(values.under("transformer").tensors)
        let weights = values["neighbour_transformer.weights"]
        #expect(try mistake("neighbour_transformer", ["x"]) { (transformer($0[0]) * weights).sum() } == nil)
        expectClose(transformer(values["neighbour_transformer.x"]).detached(), values["neighbour_transformer.output"], .float64)
        #expect(try mistake("neighbour_transformer", ["x"]) { (transformer($0[0].flipped(1)) * weights).sum() } != nil)
    }

    @Test func neighboursComeNearestFirstAndAreShifted() {
        let queue = Tensor.eye(6, .float64)
        let z = Tensor([0, 3, 1, 2, 0, 0] as [Float], [1, 6]).to(.float64).normalized()
        let near = All4One.neighbours(z, in: queue, 3)
        #expect(near[0].argmax(1).ints == [1, 3, 2])
        let shifted = All4One.shifted(near, first: z)
        expectSame(shifted[0][0], z[0])
        #expect(shifted[0].argmax(1).ints == [1, 1, 3])
    }

    // MARK: BoWNet

    @Test func bowNet() throws {
        let inputs = ["h", "prototypes", "scale", "places", "words"]
        func loss(_ x: [Tensor], words: Tensor? = nil, scale: Double = 1) -> Tensor {
            let bags = BoWNet.bags(x[3].detached(), (words ?? x[4]).detached())
            return (x[0].matmul(x[1].normalized().t) * x[2] * scale).crossEntropy(bags)
        }
        #expect(try mistake("bownet", inputs) { loss($0) } == nil)
        try expectNoticed(
            "bownet", inputs,
            [
                ("words shifted", { loss($0, words: $0[4].rolled(1, dimension: 0)) }), ("scale", { loss($0, scale: 2) }),
                ("words farther out", { loss([$0[0], $0[1], $0[2], $0[3], $0[4] * 2]) }),
            ])
    }

    @Test func bowNetsTeacherStandsStillAndGivesTheWords() throws {
        Runtime.seed(35)
        let settings = try with(tiny(BoWNet.Settings()), ["teacher": TinyTeacher.path()])
        let method = try BoWNet(settings, tinyContext())
        let before = method.teacher.stateDict.mapValues { $0.cloned() }
        let services = Images()
        try method.prepareRun(services)
        #expect(method.vocabulary.value.shape == [24, 16])
        let map = method.teacher.evaluating { method.teacher.maps(services.pixels, at: ["layer3"])[0].detached() }
        let bags = BoWNet.bags(map.flattened(from: 2).transposed(1, 2), method.vocabulary.value)
        // Nearly every word is some place's, and there are as many shares as images.
        #expect(bags.sum(0).greater(0).to(.float64).sum().item >= 20 && (bags.sum().item - 40).magnitude < 1e-3)
        for _ in 0..<6 {
            let losses = method.loss(noise(2, 16), firstStep)
            losses.total.backward()
            #expect(losses.total.item.isFinite && losses.measures.map(\.name) == ["words_per_image"])
        }
        #expect(method.scale.value.gradient != nil && method.teacher.parameters.allSatisfy { $0.value.gradient == nil })
        for (key, tensor) in method.teacher.stateDict { expectSame(tensor, try #require(before[key]), "\(key)") }
        #expect(
            message { try BoWNet(BoWNet.Settings(), tinyContext()) }
                == "BoWNet needs a teacher: pretrain another method first, RotNet say, and give its run by --teacher RUN")
    }

    @Test func cutMixTellsTheShareThatIsLeft() {
        Runtime.seed(36)
        let (black, white) = (Tensor.zeros([2, 3, 20, 30], .uint8), Tensor.ones([2, 3, 20, 30], .uint8))
        var shares: [Double] = []
        for _ in 0..<200 {
            let (mixed, share) = BoWNet.cutMix(black, with: white)
            #expect((1 - mixed.to(.float64).mean().item - share).magnitude < 1e-12)
            shares.append(share)
        }
        #expect(black.max().item == 0 && shares.min()! < 0.5 && shares.max()! > 0.95)
    }
}

private final class Images: RunServices {
    let sampleCount = 40
    let batchSize = 10
    var labels: [Int] { [Int](repeating: -1, count: sampleCount) }
    let pixels = (Tensor.rand([40, 3, 16, 16]) * 256).to(.uint8)

    func features(_ body: (Tensor) -> Tensor) throws -> Tensor { inference { body(pixels) }.cloned() }
    func setOrder(_ indices: [Int]) {}
    func resetOptimizerState(of module: Module) {}
}
