import Testing

@testable import Views

/// What becomes of a clip's frames.
@Suite struct ClipViewTests {
    /// Clips of noise that differ from frame to frame, or stand still; some frames cannot be read.
    struct Clips: ImageDataset {
        var count = 24
        var lengths = [20]
        var broken: Set<[Int]> = []
        var standsStill = false
        let classNames = ["a", "b"]

        func label(at index: Int) -> Int? { index % 2 }
        func name(at index: Int) -> String { "clip \(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { frame(0, index) }
        func clip(at index: Int) throws(ImageError) -> Clip? {
            Clip(count: lengths[index % lengths.count], name: { "frame \($0)" }) { frame, _ throws(ImageError) in
                if broken.contains([index, frame]) { throw .empty }
                return self.frame(frame, index)
            }
        }

        private func frame(_ frame: Int, _ index: Int) -> PixelImage {
            var random = ViewRandom(seed: UInt64(index * 1000 + (standsStill ? 0 : frame)))
            return PixelImage(width: 40, height: 30, pixels: (0..<3600).map { _ in UInt8(random.integer(below: 256)) })
        }
    }

    private func made(_ views: ClipViews, _ clips: Clips, _ index: Int = 3) throws -> [[UInt8]] {
        let memory = BatchMemory(views.outputs, capacity: 1)
        var scratch = Scratch()
        let clip = try #require(try clips.clip(at: index))
        try views.make(clip, key: SampleKey(seed: 2, epoch: 0, index: index), into: memory.sample(0), scratch: &scratch)
        return views.outputs.indices.map { [UInt8](memory.sample(0).bytes($0)) }
    }

    private static let task = FrameOrder(.order, frames: 4, stride: 3)

    @Test func framesAreAugmentedAlike() throws {
        let still = Clips(standsStill: true)
        for index in 0..<20 {
            let views = try made(try ClipViews(Self.task, .contrastedClip(16, strength: 1)), still, index)
            #expect(views.count == 5 && Set(views[..<4]).count == 1)
        }
        // Each group alike, the groups differently.
        let pair = try made(ClipViews(ClipWindowPair(frames: 2, stride: 2), .contrastedClip(16, strength: 1)), still)
        #expect(pair.count == 4 && pair[0] == pair[1] && pair[2] == pair[3] && pair[0] != pair[2])
        let moving = try made(try ClipViews(Self.task, .clip(16)), Clips())
        #expect(Set(moving[..<4]).count == 4)
    }

    /// At the frames' own size, pixels are what they were.
    @Test func viewsAreTheFramesOfThePlan() throws {
        let clips = Clips()
        let views = try ClipViews(Self.task, View("frame", size: ImageSize(height: 30, width: 40), [Resize()]))
        for index in 0..<12 {
            let key = SampleKey(seed: 2, epoch: 0, index: index)
            let frames = views.frames(of: 20, key: key)
            let clip = try #require(try clips.clip(at: index))
            let bytes = try made(views, clips, index)
            for (view, frame) in zip(bytes, frames) { #expect(try view == clip.frame(frame).pixels) }
            let label = Int(bytes[4][0])
            let places = frames.map { frame in frames.count { $0 < frame } }
            #expect(places == Self.task.orders[label] || places == Self.task.orders[label].reversed())
            #expect(bytes[4].dropFirst().allSatisfy { $0 == 0 })
        }
    }

    @Test func jitterMovesEachFrame() throws {
        // Red is the column, green the row.
        let frame = PatchTests.coordinates(40, 30)
        let views = try ClipViews(Self.task, View("frame", size: ImageSize(height: 24, width: 34), [Resize()]), jitter: 3)
        #expect(views.outputs[0].imageSize == ImageSize(height: 24, width: 34))
        let memory = BatchMemory(views.outputs, capacity: 1)
        var scratch = Scratch()
        var seen: Set<Int> = []
        var different = 0
        for index in 0..<60 {
            let key = SampleKey(seed: 2, epoch: 0, index: index)
            views.make([frame, frame, frame, frame], of: 20, key: key, into: memory.sample(0), scratch: &scratch)
            let corners = (0..<4).map { memory.sample(0).bytes($0) }.map { [Int($0[0]), Int($0[1])] }
            #expect(corners.flatMap { $0 }.allSatisfy { (0...6).contains($0) })
            seen.formUnion(corners.flatMap { $0 })
            different += Set(corners).count > 1 ? 1 : 0
            let last = memory.sample(0).bytes(0)
            #expect(Int(last[24 * 34 * 3 - 3]) == corners[0][0] + 33 && Int(last[24 * 34 * 3 - 2]) == corners[0][1] + 23)
        }
        #expect(seen == Set(0...6) && different > 55)
    }

    @Test func splitFramesHaveOneChannel() throws {
        let size = View("frame", size: ImageSize(height: 30, width: 40), [Resize()])
        let (plain, split) = (try ClipViews(Self.task, size), try ClipViews(Self.task, size, channelSplit: 1))
        var kept = [Int](repeating: 0, count: 3)
        for index in 0..<24 {
            let (whole, grey) = (try made(plain, Clips(), index), try made(split, Clips(), index))
            #expect(whole[4] == grey[4])
            for view in 0..<4 {
                let (own, other): ([UInt8], [UInt8]) = (whole[view], grey[view])
                var same: [Int] = []
                for channel: Int in 0..<3 {
                    let isKept: Bool = own[channel] == other[channel]
                    if isKept, own[300 + channel] == other[300 + channel] { same.append(channel) }
                }
                let channel: Int = try #require(same.first)
                kept[channel] += 1
                let expected: [UInt8] = (0..<3600).map { (place: Int) -> UInt8 in own[place / 3 * 3 + channel] }
                #expect(other == expected)
            }
        }
        #expect(kept.allSatisfy { $0 > 15 }, "\(kept)")
        let half = try ClipViews(Self.task, size, channelSplit: 0.5)
        var changed = 0
        for index in 0..<24 {
            let (whole, some) = (try made(plain, Clips(), index), try made(half, Clips(), index))
            for view in 0..<4 where whole[view] != some[view] { changed += 1 }
        }
        #expect((30...66).contains(changed), "\(changed)")
    }

    // MARK: Loader

    private func all(_ threads: Int, _ clips: Clips, _ views: ClipViews, cacheBytes: Int = 0, epoch: Int = 0) -> (
        [LoaderTests.Made], Loader
    ) {
        let loader = Loader(dataset: clips, maker: views, seed: 7, threads: threads, cacheBytes: cacheBytes)
        let run = loader.epoch(epoch, order: Sampler.shuffled(clips.count, seed: 7, epoch: epoch), batchSize: 5, dropLast: false)
        var made: [LoaderTests.Made] = []
        while let batch = run.next() { made.append(.init(batch)) }
        return (made, loader)
    }

    @Test func threadsDoNotMatterToClips() throws {
        for views in [
            try ClipViews(Self.task, .clip(16), jitter: 2, channelSplit: 0.5),
            try ClipViews(ClipWindowPair(frames: 2, stride: 2), .clip(16)),
            try ClipViews(ClipWindow(frames: 2, stride: 2), .clip(16), motion: BlockMotion(grid: 4, reach: 2)),
        ] {
            let (alone, _) = all(0, Clips(), views)
            #expect(alone.count == 5 && alone.flatMap(\.indices).count == 24)
            #expect(alone[0].labels == alone[0].indices.map { $0 % 2 })
            for threads in [1, 3] { #expect(all(threads, Clips(), views).0 == alone) }
            #expect(all(2, Clips(), views, cacheBytes: 1 << 30).0 == alone)
            #expect(all(2, Clips(), views, epoch: 1).0 != alone)
        }
    }

    /// A clip that lacks a frame is left out where it is asked for that frame, a short one always.
    @Test func brokenFramesAndShortClipsAreLeftOut() throws {
        let views = try ClipViews(Self.task, .clip(16))
        let clips = Clips(lengths: [20, 20, 20, 20, 20, 9], broken: [[4, 7], [8, 0], [8, 10]])
        let lacking = [4, 8].filter { index in
            views.frames(of: 20, key: SampleKey(seed: 7, epoch: 0, index: index)).contains { clips.broken.contains([index, $0]) }
        }
        let short = [5, 11, 17, 23]
        for threads in [0, 2] {
            let (made, loader) = all(threads, clips, views)
            #expect(Set(made.flatMap(\.indices)) == Set(0..<24).subtracting(short + lacking))
            #expect(loader.unreadable.entries.map(\.index) == (short + lacking).sorted())
            let entry = try #require(loader.unreadable.entries.first { $0.index == 5 })
            #expect("\(entry)" == "clip 5: 9 frames, and the recipe needs 10")
            // Another epoch, other frames: it is tried again, and found lacking at last.
            var epochs = 0
            while epochs < 40, !Set([4, 8]).isSubset(of: loader.unreadable.entries.map(\.index)) {
                epochs += 1
                let run = loader.epoch(epochs, order: [4, 8], batchSize: 2, dropLast: false)
                while let batch = run.next() {
                    #expect(
                        !batch.indices.contains { index in
                            views.frames(of: 20, key: SampleKey(seed: 7, epoch: epochs, index: index)).contains {
                                clips.broken.contains([index, $0])
                            }
                        })
                }
            }
            let four = try #require(loader.unreadable.entries.first { $0.index == 4 })
            #expect("\(four)" == "clip 4: frame 7: the file is empty")
        }
    }

    @Test func subsetsKeepTheirClips() throws {
        let clips = Clips()
        let few = clips.subset([5, 3]).unlabelled.withLabels(ofShare: 0.5, seed: 1)
        #expect(try few.clip(at: 1)?.frame(4).pixels == clips.clip(at: 3)?.frame(4).pixels)
        let joined = WithUnlabelledDataset(clips, unlabelled: clips.subset([9]))
        #expect(try joined.clip(at: 24)?.frame(2).pixels == clips.clip(at: 9)?.frame(2).pixels)
        #expect(try LoaderTests.Pictures(4).clip(at: 0) == nil)
    }

    /// To methods of clips a picture is one that stands still.
    @Test func picturesStandStill() throws {
        let views = try ClipViews(ClipWindow(frames: 3, stride: 2), .clip(16))
        let batches = try LoaderTests.all(2, maker: views)
        #expect(batches.flatMap(\.indices).count == 103)
        #expect(batches.allSatisfy { $0.bytes[0] == $0.bytes[1] && $0.bytes[0] == $0.bytes[2] })
    }

    @Test func sheetsHaveARowForEachClip() throws {
        let views = try ClipViews(Self.task, .clip(16))
        let clips = try (0..<3).compactMap { try Clips(lengths: [20, 20, 5], broken: []).clip(at: $0) }
        #expect(clips.count == 3)
        let (all, two) = (views.sheet(of: clips), views.sheet(of: Array(clips.prefix(2))))
        #expect(all.height == two.height && all.pixels == two.pixels)
        #expect(views.sheet(of: clips, draws: 2).height > all.height)
    }

    // MARK: Motion

    private func shifted(_ x: Int, _ y: Int, noise: Int = 0) -> [UInt8] {
        var random = ViewRandom(seed: 5)
        let ground = (0..<80 * 80 * 3).map { _ in random.integer(below: 200) }
        var other = ViewRandom(seed: 6)
        return (0..<48 * 48).flatMap { place in
            (0..<3).map { channel in
                let (row, column) = (16 + place / 48 - y, 16 + place % 48 - x)
                return UInt8(ground[(row * 80 + column) * 3 + channel] + (noise > 0 ? other.integer(below: noise + 1) : 0))
            }
        }
    }

    private func directions(_ motion: BlockMotion, _ first: [UInt8], _ second: [UInt8]) -> [Int] {
        var values = [Int64](repeating: -1, count: motion.grid * motion.grid)
        values.withUnsafeMutableBufferPointer { motion.write(from: first, to: second, 48, into: $0) }
        return values.map { Int($0) }
    }

    @Test func blocksAreFoundWhereTheyWent() {
        let motion = BlockMotion(grid: 6, reach: 4)
        // The inner 4 × 4 blocks cannot leave the frame.
        let inner = (1...4).flatMap { row in (1...4).map { row * 6 + $0 } }
        for (x, y, name) in [
            (0, 0, "still"), (3, 0, "right"), (3, 3, "right down"), (0, 2, "down"), (-2, 2, "left down"), (-4, 1, "left"),
            (-1, -1, "left up"),
            (1, -4, "up"), (2, -3, "right up"),
        ] {
            for noise in [0, 20] {
                let values = directions(motion, shifted(0, 0, noise: noise), shifted(x, y, noise: noise))
                #expect(inner.allSatisfy { BlockMotion.names[values[$0]] == name }, "\(x), \(y), \(noise): \(values)")
            }
        }
    }

    /// By the angle, computed otherwise: names go round from the right in steps of 45°.
    @Test func directionsAreOctants() {
        let units: [(x: Double, y: Double)] = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
        for y in -12...12 {
            for x in -12...12 where x != 0 || y != 0 {
                let cosines = units.map { ($0.x * Double(x) + $0.y * Double(y)) / ($0.x * $0.x + $0.y * $0.y).squareRoot() }
                let turned = cosines.firstIndex(of: cosines.max()!)!
                #expect(BlockMotion.direction(x, y) == turned + 1, "\(x), \(y)")
            }
        }
        #expect(BlockMotion.direction(0, 0) == 0)
    }

    /// What is everywhere alike stands still, however it shimmers.
    @Test func shimmerIsNoMotion() {
        var random = ViewRandom(seed: 9)
        let frames = (0..<2).map { _ in (0..<48 * 48 * 3).map { _ in UInt8(100 + random.integer(below: 8)) } }
        #expect(directions(BlockMotion(grid: 4, reach: 4, margin: 1), frames[0], frames[1]).allSatisfy { $0 == 0 })
        #expect(directions(BlockMotion(grid: 4, reach: 4, margin: 0), frames[0], frames[1]).contains { $0 != 0 })
    }
}
