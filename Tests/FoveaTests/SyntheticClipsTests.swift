import Foundation
import Fovea
import TestSupport
import Testing

@testable import Training

/// The made-up clips, and that methods of clips learn from them.
@Suite struct SyntheticClipsTests {
    @Test func aFrameIsAFunctionOfItsPlace() throws {
        let clips = SyntheticClips(count: 16, frames: 24, side: 24, seed: 3)
        #expect(clips.count == 16 && clips.classNames.count == 8 && clips.label(at: 9) == 1 && clips.name(at: 9) == "cross/clip00009")
        let clip = try #require(try clips.clip(at: 9))
        #expect(clip.count == 24 && clip.name(of: 3) == "0003.png")
        let frames = try (0..<24).map { try clip.frame($0) }
        #expect(frames[5] == clips.frame(5, of: 9) && Set(frames.map(\.pixels)).count == 24)
        #expect(try clips.image(at: 9, coveringAtLeast: nil) == frames[12])
        #expect(SyntheticClips(count: 1, frames: 24, side: 24, seed: 4).frame(0, of: 0) != clips.frame(0, of: 0))
    }

    /// Between neighbouring frames little changes, and what does is not everywhere: something moves over a ground that stands still.
    @Test func somethingMovesOnAStillGround() {
        let clips = SyntheticClips(count: 16, seed: 0)
        func changed(_ a: PixelImage, _ b: PixelImage) -> Int {
            (0..<a.width * a.height).count { place in
                (0..<3).contains { abs(Int(a.pixels[3 * place + $0]) - Int(b.pixels[3 * place + $0])) > 30 }
            }
        }
        for index in 0..<16 {
            let (near, far) = (
                changed(clips.frame(8, of: index), clips.frame(9, of: index)),
                changed(clips.frame(0, of: index), clips.frame(24, of: index))
            )
            #expect(near < 400 && far > near && far > 20 && far < 1000, "\(index): \(near), \(far)")
        }
    }

    @Test func writtenClipsAreRead() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/clips"
            try SyntheticClips.write(to: path, train: 10, test: 4, frames: 5, side: 16, seed: 2)
            let read = try ClipDataset(path)
            #expect(read.count == 10 && read.classNames == SyntheticClips(count: 1, seed: 0).classNames)
            let clips = SyntheticClips(count: 10, frames: 5, side: 16, seed: 2)
            for index in 0..<10 {
                let place = try #require((0..<10).first { read.name(at: $0) == clips.name(at: index) })
                #expect(read.label(at: place) == clips.label(at: index))
                #expect(try read.clip(at: place)?.frame(4) == clips.frame(4, of: index))
            }
            // As images the frames have the same classes.
            let images = try DatasetSplits.open(path)
            #expect(images.train.count == 50 && images.train.classNames == read.classNames && images.test?.count == 20)
            #expect(throws: FileError.self) { try SyntheticClips.write(to: path, train: 1, test: 0) }
        }
    }

    // MARK: Learning

    /// Pretext accuracy on clips that were not trained on, in evaluation mode.
    private func accuracy(_ method: String, _ changes: [String: Any], epochs: Int, clips count: Int = 240) throws -> [String: Double] {
        let (train, test) = (Drawn(SyntheticClips(count: count, seed: 0)), Drawn(SyntheticClips(count: 160, seed: 1)))
        var recipe = try tinyRecipe(method)
        func changed<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings { try with(settings, changes) }
        recipe.method.settings = try changed(recipe.method.settings)
        recipe.backbone.width = 8
        recipe.data.imageSize = 32
        recipe.data.cacheMegabytes = 0
        (recipe.training.learningRate, recipe.training.batchSize, recipe.training.epochs) = (0.05, 16, epochs)
        recipe.monitoring.healthImages = 0
        recipe.monitoring.knnEveryEpochs = 0
        return try withTemporaryFolder { folder in
            Runtime.threads = 1
            let trainer = try Trainer(
                recipe, dataset: train.unlabelled, folder: RunFolder("\(folder)/run"), options: tinyOptions())
            #expect(try trainer.run() == .finished)
            let entry = try MethodRegistry.standard.entry(named: method)
            let views = try entry.views(recipe.method.settings, imageSize: 32)
            let loader = Loader(dataset: test, maker: views, seed: 9, threads: 1)
            let batch = Batch(try #require(loader.epoch(0, order: Array(0..<160), batchSize: 160).next()), on: .cpu)
            let losses = trainer.method.evaluating { inference { trainer.method.loss(batch, Step(epoch: 0, index: 0, total: 1)) } }
            let found = Dictionary(uniqueKeysWithValues: losses.measures.map { ($0.name, $0.value.item) })
            print("\(method): \(found)")
            return found
        }
    }

    /// Frames drawn once.
    private struct Drawn: ImageDataset {
        let clips: SyntheticClips
        let frames: [[PixelImage]]

        init(_ clips: SyntheticClips) {
            self.clips = clips
            frames = (0..<clips.count).map { index in (0..<clips.frames).map { clips.frame($0, of: index) } }
        }

        var count: Int { clips.count }
        var classNames: [String] { clips.classNames }
        func label(at index: Int) -> Int? { clips.label(at: index) }
        func name(at index: Int) -> String { clips.name(at: index) }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { frames[index][clips.frames / 2] }
        func clip(at index: Int) throws(ImageError) -> Clip? {
            Clip(count: clips.frames, name: SyntheticClips.name(ofFrame:)) { frame, _ throws(ImageError) in frames[index][frame] }
        }
    }

    /// Chance is a half; 160 samples leave ± 0.08 around it.
    @Test(.enabled(if: isSlow)) func theArrowOfTimeIsLearned() throws {
        let changes: [String: Any] = ["question": "arrow", "frames": 3, "stride": 8, "jitter": 1, "channelSplit": 0, "hiddenWidth": 32]
        let found = try accuracy("frame_order", changes, epochs: 8)
        #expect(try #require(found["order_accuracy"]) > 0.7)
    }

    private static let isSlow = ProcessInfo.processInfo.environment["FOVEA_SLOW_TESTS"] != nil

    @Test(.enabled(if: isSlow)) func everyTaskIsLearned() throws {
        // Chance is 1/12, 1/3, 1/6 and, of what moves, 1/8.
        let steady: [String: Any] = ["hiddenWidth": 64, "channelSplit": 0]
        func task(_ more: [String: Any]) -> [String: Any] { steady.merging(more) { $1 } }
        let order = try accuracy("frame_order", task(["frames": 4, "stride": 8, "jitter": 1]), epochs: 120)
        #expect(try #require(order["order_accuracy"]) > 0.25)
        let rate = try accuracy("playback_rate", task(["frames": 6, "rates": [1, 2, 4], "jitter": 0]), epochs: 80)
        #expect(try #require(rate["playback_accuracy"]) > 0.5)
        let transformation = try accuracy(
            "temporal_transformation", task(["frames": 6, "rates": [1, 2, 4], "jitter": 0]), epochs: 80)
        #expect(try #require(transformation["playback_accuracy"]) > 0.3)
        let motion = try accuracy("motion_estimation", ["hiddenWidth": 64], epochs: 20)
        #expect(try #require(motion["moving_accuracy"]) > 0.3)
        // Of 160 clips' places at two times the right one: 1/5120.
        let dense = try accuracy("dense_predictive_coding", ["frames": 5, "predicted": 2, "stride": 4], epochs: 20)
        #expect(try #require(dense["nce_accuracy"]) > 0.02)
        // Of nine patches the own one.
        let walk = try accuracy("object_consistency", ["grid": 3, "outputWidth": 32], epochs: 60)
        #expect(try #require(walk["cycle_accuracy"]) > 0.4)
    }
}
