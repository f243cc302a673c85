import Backbones
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// Methods of clips against their definitions in float64 (generate_clips.py), and what their networks see.
@Suite struct ClipMethodsTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func check(_ name: String, _ inputs: [String], _ loss: Loss, _ wrong: [(String, Loss)]) throws {
        #expect(try mistake(name, inputs, in: "clips", loss) == nil)
        for (what, loss) in wrong { #expect(try mistake(name, inputs, in: "clips", loss) != nil, "\(what)") }
    }

    // MARK: Losses

    @Test func classifierSeesAllFrames() throws {
        func loss(_ x: [Tensor], _ joined: Tensor? = nil, labels: Tensor? = nil) -> Tensor {
            let maps = (joined ?? ClipClassifier.joined(x[0], frames: 3)).conv2d(x[1], padding: 1)
            return ClipClassifier.losses(maps.mean(2, 3), labels ?? x[2], "order").total
        }
        try check(
            "classifier", ["maps", "weight", "labels"], { loss($0) },
            [
                ("clip by clip", { loss($0, $0[0].reshaped(16, 24, 4, 4)) }),
                ("backwards", { loss($0, .concatenated($0[0].chunks(3).reversed(), dimension: 1)) }),
                ("labels of other clips", { loss($0, labels: $0[2].flipped(0)) }), ("sum", { loss($0) * 16 }),
            ])
    }

    @Test func motion() throws {
        func loss(_ x: [Tensor], _ motion: Tensor? = nil, still: Double = 0.3) -> Tensor {
            MotionEstimation.losses(x[0], motion ?? x[1], stillWeight: still).total
        }
        try check(
            "motion", ["logits", "directions"], { loss($0) },
            [
                ("all alike", { loss($0, still: 1) }), ("only what moves", { loss($0, still: 0) }),
                ("columns for rows", { loss($0, $0[1].transposed(1, 2)) }), ("sum over blocks", { loss($0) * 16 }),
            ])
    }

    @Test func temporalContrast() throws {
        func loss(_ x: [Tensor], _ windows: Tensor? = nil, temperature: Double = 0.2) -> Tensor {
            ContrastiveLoss.ntXent(windows ?? TemporalContrast.windows(x[0], frames: 3), temperature: temperature)
        }
        try check(
            "contrast", ["h"], { loss($0) },
            [
                ("another temperature", { loss($0, temperature: 0.1) }),
                ("windows of other frames", { loss($0, $0[0].reshaped(3, 2, 17, 32).mean(0).reshaped(34, 32)) }),
                ("frames of other clips", { loss($0, $0[0].reshaped(34, 3, 32).mean(1)) }),
                ("one frame", { loss($0, .concatenated([$0[0].chunks(6)[0], $0[0].chunks(6)[3]])) }),
            ])
    }

    @Test func densePredictiveCoding() throws {
        func loss(_ x: [Tensor], _ own: Tensor? = nil, scale: Double = 1) -> Tensor {
            func steps(_ maps: Tensor) -> [Tensor] { (0..<2).map { maps.selected(0, $0) } }
            let scores = DensePredictiveCoding.scores(steps(x[0]), steps(x[1])) * scale
            return scores.crossEntropy(own ?? .arange(40))
        }
        try check(
            "dense", ["predictions", "maps"], { loss($0) },
            [
                ("the other step", { loss($0, Tensor.arange(40).rolled(20, dimension: 0)) }),
                ("the next place", { loss($0, Tensor.arange(40).rolled(1, dimension: 0)) }), ("scaled", { loss($0, scale: 0.5) }),
                ("places for clips", { loss([$0[0], $0[1].flipped(3)]) }),
            ])
    }

    @Test func gatedRecurrentUnit() throws {
        let values = try ReferenceValues.load("clips").under("gru")
        let unit = ConvolutionalGRU(8)
        try unit.load(values.under("state").tensors)
        let (x, h) = (values["x"].to(.float32), values["h"].to(.float32))
        expectClose(unit(x, h), values["result"], .float32)
        #expect(difference(unit(h, x), values["result"], .float32) != nil)
    }

    @Test func contrastiveWalk() throws {
        func loss(_ x: [Tensor], temperature: Double = 0.3, _ chosen: ([Tensor]) -> [Tensor] = { $0 }) -> Tensor {
            ObjectConsistency.cycle(chosen(ObjectConsistency.walks(x[0], temperature: temperature)))
        }
        try check(
            "walk", ["q"], { loss($0) },
            [
                ("another temperature", { loss($0, temperature: 0.2) }), ("the longest walk alone", { loss($0) { [$0[2]] } }),
                (
                    "there alone",
                    { x in
                        let unit = x[0].normalized()
                        return ObjectConsistency.cycle(
                            (1..<4).map { (unit.selected(0, 0).matmul(unit.selected(0, $0).t) / 0.3).softmax(-1) })
                    }
                ),
            ])
    }

    // MARK: Properties

    /// Rows are distributions; with patches that can be told and do not move, walkers come back; left-out edges are not walked.
    @Test func walksComeBack() {
        Runtime.seed(8)
        let q = Tensor.randn([1, 2, 9, 32]).expanded([4, 2, 9, 32])
        let walks = ObjectConsistency.walks(q, temperature: 0.07)
        #expect(walks.count == 3)
        for walk in walks { expectClose(walk.sum(2), .ones([2, 9]), .float32) }
        #expect(ObjectConsistency.cycle(walks).item < 0.05)
        // Patches that are all alike: chance.
        let alike = ObjectConsistency.cycle(ObjectConsistency.walks(.ones([4, 2, 9, 32]), temperature: 0.07))
        #expect((alike.item - 2.1972246).magnitude < 1e-4)
        // Without the edge from each patch to itself nobody stays, and two steps lead back where they can.
        let noSelf = (1 - Tensor.eye(9)).greater(0.5).unsqueezed(0).expanded([2, 9, 9])
        let moved = ObjectConsistency.walks(q.narrowed(0, from: 0, count: 2), temperature: 0.07) { _ in noSelf }
        #expect(difference(moved[0], walks[0], .float32) != nil)
        let kept = ObjectConsistency.kept(.zeros([40, 9, 9]), dropout: 0.25).to(.float32).mean().item
        #expect((kept - 0.75).magnitude < 0.04)
    }

    /// What is known decides what is predicted, in its order; what comes does not.
    @Test func predictionsSeeThePastAlone() throws {
        Runtime.seed(9)
        var settings = DensePredictiveCoding.Settings()
        (settings.frames, settings.predicted) = (5, 2)
        let method = try DensePredictiveCoding(settings, tinyContext())
        let z = (0..<3).map { _ in Tensor.randn([2, 32, 2, 2]) }
        let first = method.predict(z)
        #expect(first.count == 2 && first[0].shape == [2, 32, 2, 2])
        #expect(difference(method.predict(z.reversed())[0], first[0], .float32) != nil)
        // One position's past is that of its prediction: kernels are 1 × 1.
        var other = z
        other[0] = z[0] + Tensor.ones([2, 32, 2, 2]) * Tensor([1.0, 0, 0, 0], [1, 1, 2, 2]).to(.float32)
        let changed = (method.predict(other)[1] - first[1]).abs().sum(1)
        #expect(changed.floats.enumerated().allSatisfy { ($1 > 1e-6) == ($0 % 4 == 0) })
    }

    // MARK: Cubes

    /// Whole rectangles over successive times, of about the share that is asked for; of one time those of images.
    @Test func cubesAreHidden() {
        Runtime.seed(11)
        let grid = PatchGrid(rows: 8, columns: 8)
        let mask = PatchMasks.blocks(Array(repeating: 0.4, count: 60), grid, times: 4, least: 5, on: .cpu)
        #expect(mask.shape == [60, 256])
        let shares = mask.to(.float32).mean(1).floats
        #expect(shares.allSatisfy { $0 <= 0.4 + 1e-6 && $0 > 0.25 } && shares.reduce(0, +) / 60 > 0.36, "\(shares)")
        // A place is hidden at the next time, too, more often than by chance, which is 0.4.
        let times = mask.reshaped(60, 4, 64).to(.float32)
        let both = times.narrowed(1, from: 0, count: 3) * times.narrowed(1, from: 1, count: 3)
        #expect(both.sum().item / times.narrowed(1, from: 0, count: 3).sum().item > 0.6)
        Runtime.seed(12)
        let images = PatchMasks.blocks([0.4, 0.5], grid, least: 5, on: .cpu)
        Runtime.seed(12)
        expectSame(PatchMasks.blocks([0.4, 0.5], grid, times: 1, least: 5, on: .cpu), images)
    }

    private func cubes(_ times: Int) throws -> CubeEncoder {
        Runtime.seed(13)
        let cubes = CubeEncoder(try patchContext().makePatchEncoder(), times: times)
        cubes.eval()
        return cubes
    }

    /// Of a clip of two equal frames, the tokens are the image's.
    @Test func stillCubesAreImages() throws {
        let cubes = try cubes(1)
        let image = noise(1, 5).views[0]
        let (mask, token) = (Tensor.rand([5, 16]).less(0.4), Tensor.randn([48]))
        withoutGradients { cubes.positions.value.zeroInPlace() }
        let expected = cubes.patches.patchTokens(image, .replaced(mask, by: token))
        expectClose(cubes([image, image], mask, by: token), expected, .float32)
        let other = noise(1, 5).views[0]
        #expect(difference(cubes([image, other], mask, by: token), cubes([other, image], mask, by: token), .float32) != nil)
        expectClose(
            cubes([image, other], .ones([5, 16], .bool), by: token), cubes([other, image], .ones([5, 16], .bool), by: token), .exact)
    }

    /// What is hidden has no effect, each cube at its own place and time; what is seen has one on all times.
    @Test func hiddenCubesAreNotSeen() throws {
        let cubes = try cubes(3)
        let views = noise(6, 4).views
        let token = Tensor.randn([48])
        // The second patch of the third row, at the second time.
        var mask = [Float](repeating: 0, count: 4 * 48)
        for clip in 0..<4 { mask[clip * 48 + 16 + 9] = 1 }
        let hidden = Tensor(mask, [4, 48]).greater(0.5)
        let before = cubes(views, hidden, by: token)
        #expect(before.shape == [4, 48, 48])
        func changed(_ frame: Int, row: Int) -> [Tensor] {
            var other = views
            other[frame] = views[frame].cloned()
            other[frame].narrowed(2, from: row, count: 4).narrowed(3, from: 4, count: 4).fillInPlace(7)
            return other
        }
        for frame in [2, 3] {
            expectClose(cubes(changed(frame, row: 8), hidden, by: token), before, .exact)
            #expect(difference(cubes(changed(frame, row: 4), hidden, by: token), before, .float32) != nil)
        }
        // Another time, the same place: every time's tokens know.
        let other = (cubes(changed(0, row: 8), hidden, by: token) - before).abs().reshaped(4, 3, 16, 48).max(3).max(2)
        #expect(other.floats.allSatisfy { $0 > 1e-5 })
    }

    /// The histograms are those of every cube's second frame, time by time.
    @Test func cubesTellTheirMiddleFrame() throws {
        var settings = MaskFeatVideo.Settings()
        (settings.frames, settings.cellSize, settings.bins) = (4, 2, 6)
        let method = try MaskFeatVideo(settings, patchContext())
        let views = noise(4, 3).views
        let features = method.features(views)
        #expect(features.shape == [3, 32, 4 * 3 * 6])
        let still = try MaskFeat(with(MaskFeat.Settings(), ["cellSize": 2, "bins": 6]), patchContext())
        expectClose(features.narrowed(1, from: 0, count: 16), still.features(views[1]), .exact)
        expectClose(features.narrowed(1, from: 16, count: 16), still.features(views[3]), .exact)
        settings.frames = 5
        #expect(message { try settings.validate() } == "method.frames must be even and 2 to 64, not 5")
    }

    /// The frames' order reaches the classifier; order, rate and direction could not be told without it.
    @Test func headsTellFramesApart() throws {
        for entry in MethodRegistry.standard.entries where entry.card.needsClips && entry.card.family == .pretext {
            Runtime.seed(10)
            let method = try entry.make(tinySettings(of: entry), tinyContext())
            method.eval()
            let outputs = try entry.views(tinySettings(of: entry), imageSize: 16).outputs
            var batch = noise(outputs.count { $0.imageSize != nil }, 6)
            for output in outputs where output.imageSize == nil { batch.targets[output.name] = Tensor.zeros([6] + output.shape, .int64) }
            let loss = method.loss(batch, firstStep).total.item
            batch.views.swapAt(0, 1)
            #expect((method.loss(batch, firstStep).total.item - loss).magnitude > 1e-6, "\(entry.card.name)")
        }
    }

    @Test(arguments: MethodRegistry.standard.entries.map(\.card).filter(\.needsClips).map(\.name)) func learns(_ name: String) throws {
        let entry = try MethodRegistry.standard.entry(named: name)
        let outputs = try entry.views(tinySettings(of: entry), imageSize: 16).outputs
        var batch = noise(outputs.count { $0.imageSize != nil }, 6)
        for output in outputs where output.imageSize == nil { batch.targets[output.name] = noise(output, 6) }
        try expectLearning(name, entry.card.needsPatches ? patchContext() : tinyContext(), batch)
    }

    @Test func viewsOfARecipeAreThoseOfEveryFrame() throws {
        for entry in MethodRegistry.standard.entries where entry.card.needsClips {
            let own = try ViewRecipe(views: [View("mine", size: 24, [RandomResizedCrop(scale: 0.9...1)])])
            let views = try #require(try entry.views(entry.settings.init(), imageSize: 24, replacing: own) as? ClipViews)
            #expect(views.view == own.views[0] && views.outputs[0].imageSize == ImageSize(24), "\(entry.card.name)")
        }
    }

    @Test func senselessSettingsAreRefused() throws {
        var order = FrameOrderPrediction.Settings()
        order.frames = 6
        #expect(message { try order.validate() } == "method.frames must be 3 to 5 for order, not 6")
        order.question = .arrow
        try order.validate()
        var playback = PlaybackSettings()
        playback.rates = [1]
        #expect(
            message { try playback.validate() } == "method.rates must be two different numbers or more, from 1 to 1000, not [1]")
        var dense = DensePredictiveCoding.Settings()
        dense.predicted = 8
        #expect(message { try dense.validate() } == "method.predicted must be at least 1 and below method.frames (8), not 8")
        #expect(
            message { try ObjectConsistency(ObjectConsistency.Settings(), tinyContext(imageSize: 7)) }
                == "method.grid must be below data.imageSize (7), not 7")
    }
}
