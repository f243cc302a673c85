import Backbones
import Embeddings
import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods
@testable import Training
@testable import Views

/// Shortcuts of tasks on patches, on textures that say nothing of where a patch lies: what a network tells of them, it tells by the
/// shortcut. Trains for minutes; the numbers seen are in docs/methods.md.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_SLOW_TESTS"] != nil, "slow: make check-slow runs it"))
struct ShortcutTests {
    /// Grey noise, smooth over a few pixels, perhaps in light that falls from one side.
    private struct Textures: ImageDataset {
        let count: Int
        let side: Int
        /// Pixels over which it is smooth.
        var length = 2
        var isLit = false
        var seed: UInt64 = 0
        var classNames: [String] { [] }
        func label(at index: Int) -> Int? { nil }
        func name(at index: Int) -> String { "\(index)" }

        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            var random = ViewKey(seed: seed, epoch: 0, index: index, stream: 0).random()
            var field = (0..<side * side).map { _ in random.normal() }
            // Twice the mean over neighbours, along rows and along columns.
            for _ in 0..<2 {
                for (step, other) in [(1, side), (side, 1)] {
                    var smooth = field
                    for line in 0..<side {
                        for place in 0..<side {
                            let near = max(0, place - length)...min(side - 1, place + length)
                            smooth[line * other + place * step] =
                                near.reduce(0.0) { $0 + field[line * other + $1 * step] } / Double(near.count)
                        }
                    }
                    field = smooth
                }
            }
            let deviation = (field.reduce(0) { $0 + $1 * $1 } / Double(field.count)).squareRoot()
            let angle = random.uniform() * 2 * Double.pi
            var pixels: [UInt8] = []
            for (place, value) in field.enumerated() {
                let (x, y) = (Double(place % side) / Double(side) - 0.5, Double(place / side) / Double(side) - 0.5)
                let light = isLit ? 70 * (x * cos(angle) + y * sin(angle)) : 0
                pixels += [UInt8](repeating: UInt8(min(255, max(0, 128 + 35 * value / deviation + light))), count: 3)
            }
            return PixelImage(width: side, height: side, pixels: pixels)
        }
    }

    private static func batches(_ maker: any ViewMaker, _ images: any ImageDataset, epoch: Int, size: Int = 64) -> LoaderEpoch {
        Loader(dataset: images, maker: maker, seed: 5, threads: 2, cacheBytes: 1 << 28)
            .epoch(epoch, order: Sampler.shuffled(images.count, seed: 5, epoch: epoch), batchSize: size)
    }

    private static func trained<Method: SelfSupervisedMethod>(
        _ type: Method.Type, _ settings: Method.Settings, _ maker: any ViewMaker, _ images: any ImageDataset, side: Int, epochs: Int
    ) throws -> Method {
        Runtime.seed(11)
        let backbone = BackboneSettings("resnet18", width: 8, stem: .small)
        let method = try Method(
            settings, MethodContext(backbone: backbone, imageSize: side, sampleCount: images.count, classCount: 0))
        var recipe = TrainingSettings()
        recipe.optimizer.name = .adam
        let phase = PhaseOptimizer(method.phases[0], recipe)
        let total = epochs * (images.count / 64)
        let rate = Schedule.cosine(from: 0.002, to: 0)
        var index = 0
        for epoch in 0..<epochs {
            let work = batches(maker, images, epoch: epoch)
            while let pixels = work.next() {
                method.clearGradients()
                method.loss(Batch(pixels, on: .cpu), Step(epoch: epoch, index: index, total: total)).total.backward()
                phase.step(learningRate: rate.value(at: index, of: total), peak: 0.002)
                index += 1
            }
        }
        return method
    }

    /// Of new images: how many the method tells rightly, and the interval of that.
    private static func told(_ method: any SelfSupervisedMethod, _ measure: String, _ maker: any ViewMaker, _ images: any ImageDataset)
        -> Interval
    {
        var (right, all) = (0.0, 0)
        method.evaluating {
            inference {
                let work = batches(maker, images, epoch: 0, size: 50)
                while let pixels = work.next() {
                    let losses = method.loss(Batch(pixels, on: .cpu), Step(epoch: 0, index: 0, total: 1))
                    right += losses.measures.first { $0.name == measure }!.value.item * Double(pixels.count)
                    all += pixels.count
                }
            }
        }
        return .wilson(Int(right.rounded()), of: all)
    }

    private static func text(_ interval: Interval) -> String {
        String(format: "%.1f %% (%.1f … %.1f)", 100 * interval.estimate, 100 * interval.low, 100 * interval.high)
    }

    // MARK: Chromatic aberration

    /// How much of the place of a patch in the image a linear map tells from its features: R² on new images, both coordinates.
    private static func placeTold(_ method: RelativePatch, _ maker: RelativePatchViews, side: Int) throws -> Interval {
        func made(_ images: Textures) -> (features: Tensor, places: Tensor) {
            var (rows, places): ([Tensor], [Double]) = ([], [])
            method.evaluating {
                inference {
                    let work = batches(maker, images, epoch: 0, size: 50)
                    while let pixels = work.next() {
                        rows.append(method.features(Batch(pixels, on: .cpu).views[0]).to(.float64))
                        for index in pixels.indices {
                            let key = SampleKey(seed: 5, epoch: 0, index: index)
                            let box = RelativePatchViews.Plan(maker, ImageSize(side), key.view(stream: 1)).boxes[0]
                            places += [Double(box.x), Double(box.y)]
                        }
                    }
                }
            }
            return (.concatenated(rows), Tensor(places).reshaped(-1, 2))
        }
        let (train, test) = (made(Textures(count: 1000, side: side, seed: 3)), made(Textures(count: 500, side: side, seed: 4)))
        let (mean, centre) = (train.features.mean(0, keep: true), train.places.mean(0, keep: true))
        let deviation = train.features.standardDeviation(0).unsqueezed(0) + 1e-6
        let x = (train.features - mean) / deviation
        let width = x.size(1)
        let factor = (x.t.matmul(x) + Tensor.eye(width, .float64) * 10).cholesky()
        let weights = factor.t.solveTriangular(factor.solveTriangular(x.t.matmul(train.places - centre), upper: false), upper: true)
        let errors = ((test.features - mean) / deviation).matmul(weights) - (test.places - centre)
        let spread = (test.places - test.places.mean(0, keep: true)).squared().mean(0).sum()
        let each = (1 - errors.squared().sum(1) / spread).values(Double.self)
        return .bootstrap(each)
    }

    @Test func aberrationTellsThePlaceUnlessColoursAreDropped() throws {
        let side = 96
        let images = Textures(count: 2000, side: side, seed: 1)
        let new = Textures(count: 1000, side: side, seed: 2)
        let aberrant = View("photo", size: ImageSize(side), [Resize(), ChromaticAberration(strength: 0.06)])
        let plain = View("photo", size: ImageSize(side), [Resize()])
        let geometry = RelativePatchViews.Geometry(patch: 20, gap: 10, jitter: 2, areas: side * side...side * side)
        var accuracy: [String: Interval] = [:]
        var place: [String: Interval] = [:]
        let cases: [(String, RelativePatch.Settings.Colours, View)] = [
            ("kept", .kept, aberrant), ("dropped", .dropped, aberrant), ("projected", .projected, aberrant),
            ("no aberration", .kept, plain),
        ]
        for (name, colours, view) in cases {
            var settings = RelativePatch.Settings()
            (settings.colours, settings.pairs, settings.hiddenWidth, settings.pixelation) = (colours, 4, 128, 0)
            let maker = try RelativePatchViews(geometry, neighbours: 4, dropsColours: colours == .dropped, before: view)
            let method = try Self.trained(RelativePatch.self, settings, maker, images, side: side, epochs: 6)
            accuracy[name] = Self.told(method, "position_accuracy", maker, new)
            place[name] = try Self.placeTold(method, maker, side: side)
            print("context prediction, \(name): \(Self.text(accuracy[name]!)) of places (chance 12.5 %), R² \(Self.text(place[name]!))")
        }
        #expect(accuracy["kept"]!.low > 0.25 && place["kept"]!.low > 0.5, "the shortcut is there")
        // Red and blue remain beside a mixture with green: not the place in the image, but a little of the neighbour's.
        #expect(accuracy["projected"]!.high < accuracy["kept"]!.low / 2 && place["projected"]!.high < 0.3)
        for name in ["dropped", "no aberration"] {
            #expect(accuracy[name]!.high < 0.2 && place[name]!.high < 0.3, "\(name)")
        }
    }

    // MARK: Edges and light

    @Test func puzzlesAreSolvedByEdgesAndLight() throws {
        let images = Textures(count: 2000, side: 72, length: 4, isLit: true, seed: 1)
        let new = Textures(count: 1000, side: 72, length: 4, isLit: true, seed: 2)
        let flat = (Textures(count: 2000, side: 72, length: 4, seed: 1), Textures(count: 1000, side: 72, length: 4, seed: 2))
        var accuracy: [String: Interval] = [:]
        for (name, side, normalizes, isLit) in [
            ("no gaps, not normalised", 24, false, false), ("gaps, not normalised", 12, false, false),
            ("no gaps, normalised", 24, true, false), ("gaps, normalised", 12, true, false),
            ("in light: gaps, not normalised", 12, false, true), ("in light: gaps, normalised", 12, true, true),
        ] {
            var settings = Jigsaw.Settings()
            (settings.tileWidth, settings.hiddenWidth, settings.puzzle.perImage) = (32, 128, 4)
            settings.puzzle.permutations.count = 24
            settings.puzzle.tiles.channelJitter = 0
            settings.puzzle.tiles.greyShare = 0
            (settings.puzzle.tiles.side, settings.puzzle.tiles.normalizes) = (side, normalizes)
            let maker = try JigsawViews(
                View("image", size: 72, [Resize()]), settings.puzzle.tiles, settings.puzzle.permutations, perImage: 4)
            let method = try Self.trained(Jigsaw.self, settings, maker, isLit ? images : flat.0, side: 72, epochs: 6)
            accuracy[name] = Self.told(method, "permutation_accuracy", maker, isLit ? new : flat.1)
            print("jigsaw, \(name): \(Self.text(accuracy[name]!)) of orders (chance 4.2 %)")
        }
        #expect(accuracy["no gaps, not normalised"]!.low > accuracy["gaps, normalised"]!.high)
        #expect(accuracy["in light: gaps, not normalised"]!.low > accuracy["in light: gaps, normalised"]!.high)
        #expect(accuracy["gaps, normalised"]!.high < 0.1)
    }
}
