import Foundation
import Testing
@testable import Views

@Suite struct LoaderTests {
    /// Small images of different sizes, some of which cannot be read; counts how often each is asked for.
    final class Pictures: ImageDataset, @unchecked Sendable {
        let count: Int
        let classNames = ["even", "odd"]
        let broken: Set<Int>
        private let lock = NSLock()
        private var asked: [Int: Int] = [:]

        init(_ count: Int, broken: Set<Int> = []) {
            self.count = count
            self.broken = broken
        }

        func label(at index: Int) -> Int? { index % 5 == 4 ? nil : index % 2 }
        func name(at index: Int) -> String { "picture \(index)" }
        var asks: [Int: Int] { lock.withLock { asked } }

        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            lock.withLock { asked[index, default: 0] += 1 }
            if broken.contains(index) { throw .empty }
            var image = TestImage.make("smooth", 30 + index % 7, 25 + index % 11)
            image.pixels[0] = UInt8(index & 255)
            return image
        }
    }

    struct Made: Equatable {
        var number: Int, indices: [Int], labels: [Int], bytes: [[UInt8]]

        init(_ batch: PixelBatch) {
            (number, indices, labels) = (batch.number, batch.indices, batch.labels)
            bytes = batch.outputs.indices.map { [UInt8](batch.bytes($0)) }
        }
    }

    static func recipe() throws -> ViewRecipe {
        try ViewRecipe(views: [
            View("a", size: 24, copies: 2, [RandomResizedCrop(), HorizontalFlip(), ColorJitter(), GaussianBlur()]),
            View("b", size: 16, [RandomResizedCrop()]),
        ])
    }

    static func all(
        _ threads: Int, prefetch: Int = 2, broken: Set<Int> = [], cacheBytes: Int = 0, maker: (any ViewMaker)? = nil, epoch: Int = 3,
        dropLast: Bool = false, startingAt batch: Int = 0
    ) throws -> [Made] {
        let loader = Loader(
            dataset: Pictures(103, broken: broken), maker: try maker ?? recipe(), seed: 7, threads: threads, prefetch: prefetch,
            cacheBytes: cacheBytes)
        let order = Sampler.shuffled(103, seed: 7, epoch: epoch)
        let epoch = loader.epoch(epoch, order: order, batchSize: 10, dropLast: dropLast, startingAt: batch)
        var made: [Made] = []
        while let batch = epoch.next() { made.append(Made(batch)) }
        return made
    }

    @Test func threadsDoNotMatter() throws {
        let alone = try Self.all(0)
        #expect(alone.count == 11 && alone.last?.indices.count == 3)
        #expect(alone.flatMap(\.indices) == Sampler.shuffled(103, seed: 7, epoch: 3))
        #expect(alone.allSatisfy { one in one.labels == one.indices.map { $0 % 5 == 4 ? -1 : $0 % 2 } })
        #expect(alone[0].bytes.map(\.count) == [10 * 24 * 24 * 3, 10 * 24 * 24 * 3, 10 * 16 * 16 * 3])
        for threads in [1, 2, 4] {
            for prefetch in [1, 3] {
                #expect(try Self.all(threads, prefetch: prefetch) == alone, "\(threads) threads, prefetch \(prefetch)")
            }
        }
        #expect(try Self.all(2, cacheBytes: 1 << 30) == alone)
        #expect(try Self.all(2, cacheBytes: 20_000) == alone)
        #expect(try Self.all(2, dropLast: true) == Array(alone.dropLast()))
        #expect(try Self.all(2, epoch: 4) != alone)
    }

    @Test func samplesAreWhatTheRecipeMakes() throws {
        let batch = try Self.all(2)[4]
        let dataset = Pictures(103)
        for (position, index) in batch.indices.enumerated() {
            let views = AugmentationRecipeTests.views(
                try Self.recipe(), try dataset.image(at: index, coveringAtLeast: nil), SampleKey(seed: 7, epoch: 3, index: index))
            for (output, view) in views.enumerated() {
                #expect(Array(batch.bytes[output][position * view.count..<(position + 1) * view.count]) == view)
            }
        }
    }

    @Test func startingLaterIsSkipping() throws {
        let all = try Self.all(2)
        for batch in [1, 7, 10, 11, 99] {
            #expect(try Self.all(2, startingAt: batch) == Array(all.dropFirst(batch)))
            #expect(try Self.all(0, startingAt: batch) == Array(all.dropFirst(batch)))
        }
    }

    @Test func unreadableImagesAreLeftOut() throws {
        let order = Sampler.shuffled(103, seed: 7, epoch: 3)
        // Two here and there, and all of batch 5.
        let broken = Set([order[3], order[27]] + order[50..<60])
        let whole = try Self.all(0)
        for threads in [0, 1, 3] {
            let dataset = Pictures(103, broken: broken)
            let loader = Loader(dataset: dataset, maker: try Self.recipe(), seed: 7, threads: threads)
            for epoch in [3, 4] {
                let run = loader.epoch(epoch, order: order, batchSize: 10, dropLast: false)
                var numbers: [Int] = []
                while let batch = run.next() {
                    numbers.append(batch.number)
                    let made = Made(batch)
                    let full = order[batch.number * 10..<min(103, batch.number * 10 + 10)]
                    #expect(made.indices == full.filter { !broken.contains($0) })
                    if epoch == 3 {
                        // The bytes are those of the full batch without the missing.
                        let before = whole[batch.number]
                        for output in 0..<3 {
                            let size = batch.outputs[output].bytes
                            let kept = before.indices.indices.filter { !broken.contains(before.indices[$0]) }
                            #expect(made.bytes[output] == kept.flatMap { Array(before.bytes[output][$0 * size..<($0 + 1) * size]) })
                        }
                    }
                }
                #expect(numbers == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10])
            }
            #expect(loader.unreadable.entries.map(\.index) == broken.sorted())
            #expect(loader.unreadable.entries.first?.name == "picture \(broken.min()!)")
            #expect(loader.unreadable.entries.allSatisfy { !$0.reason.isEmpty })
            #expect(broken.allSatisfy { dataset.asks[$0] == 1 }, "never tried again")
        }
    }

    @Test func nothingRunsAhead() throws {
        for prefetch in [1, 2, 4] {
            let dataset = Pictures(400)
            let loader = Loader(dataset: dataset, maker: try Self.recipe(), seed: 1, threads: 3, prefetch: prefetch)
            let run = loader.epoch(0, order: Array(0..<400), batchSize: 10)
            var taken = 0
            while let batch = run.next() {
                #expect(batch.count == 10)
                taken += 1
                if taken < 4 {
                    Thread.sleep(forTimeInterval: 0.05)
                    // The reader holds one; at most `prefetch` others have been begun.
                    #expect(dataset.asks.count <= 10 * (taken + prefetch))
                }
            }
            #expect(taken == 40)
            let counts = loader.pool.counts
            #expect(counts.mostLent <= prefetch + 1, "\(counts.mostLent) batches alive")
            #expect(counts.made <= prefetch + 1, "\(counts.made) allocated for 40 batches")
        }
    }

    @Test func batchesMayBeKept() throws {
        let loader = Loader(dataset: Pictures(100), maker: try Self.recipe(), seed: 1, threads: 2, prefetch: 1)
        let run = loader.epoch(0, order: Array(0..<100), batchSize: 10)
        var kept: [PixelBatch] = []
        while let batch = run.next() { kept.append(batch) }
        #expect(kept.count == 10)
        #expect(Set(kept.map { $0.bytes(0).baseAddress! }).count == 10)
        #expect(kept.allSatisfy { Int(bitPattern: $0.bytes(1).baseAddress!) % 64 == 0 })
        #expect(kept.map(Made.init) == (try Self.firstHundred(threads: 0)))
    }

    static func firstHundred(threads: Int) throws -> [Made] {
        let loader = Loader(dataset: Pictures(100), maker: try recipe(), seed: 1, threads: threads)
        let run = loader.epoch(0, order: Array(0..<100), batchSize: 10)
        var made: [Made] = []
        while let batch = run.next() { made.append(Made(batch)) }
        return made
    }

    @Test func stoppingEarlyDoesNotHang() throws {
        for threads in [0, 1, 4] {
            for taken in 0..<4 {
                let loader = Loader(dataset: Pictures(2000), maker: try Self.recipe(), seed: 1, threads: threads, prefetch: 3)
                var kept: PixelBatch?
                do {
                    let run = loader.epoch(0, order: Array(0..<2000), batchSize: 50)
                    for _ in 0..<taken { kept = run.next() }
                }
                // Its memory outlives the epoch.
                #expect(taken == 0 || kept?.count == 50)
            }
        }
    }

    @Test func cacheDecodesOnce() throws {
        let dataset = Pictures(60)
        let loader = Loader(dataset: dataset, maker: try Self.recipe(), seed: 1, threads: 2, cacheBytes: 1 << 30)
        for epoch in 0..<3 {
            let run = loader.epoch(epoch, order: Sampler.shuffled(60, seed: 1, epoch: epoch), batchSize: 20)
            while run.next() != nil {}
        }
        #expect(dataset.asks.values.allSatisfy { $0 == 1 } && dataset.asks.count == 60)
    }

    /// Writes bytes of its partners: the sum of their first bytes.
    struct Sum: ViewMaker {
        let outputs = [
            OutputSpec.image("nothing", 1), OutputSpec(name: "sum", element: .int64, shape: [2]),
            OutputSpec(name: "half", element: .float32, shape: []),
        ]
        let decodeTarget: Int? = nil
        let usesPartners = true

        func make(_ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch) {
            for i in 0..<3 { outputs.pixels(0)[i] = 0 }
            outputs.integers(1)[0] = Int64(image.pixels[0])
            outputs.integers(1)[1] = (1...2).reduce(0) { $0 + (partners.image($1).map { Int64($0.pixels[0]) } ?? 1000) }
            outputs.floats(2)[0] = Float(key.position) / 2
        }
    }

    @Test func partnersAreOfTheSameBatch() throws {
        for threads in [0, 3] {
            let order = Sampler.shuffled(103, seed: 7, epoch: 3)
            let broken: Set = [order[12]]
            for batch in try Self.all(threads, broken: broken, maker: Sum()) {
                let members = Array(order[batch.number * 10..<min(103, batch.number * 10 + 10)])
                batch.bytes[1].withUnsafeBytes { raw in
                    let values = raw.bindMemory(to: Int64.self)
                    for (place, index) in batch.indices.enumerated() {
                        let position = members.firstIndex(of: index)!
                        let expected = (1...2).reduce(0) {
                            let partner = members[(position + $1) % members.count]
                            return $0 + (broken.contains(partner) ? 1000 : partner)
                        }
                        #expect(values[2 * place] == index && values[2 * place + 1] == expected)
                    }
                }
            }
        }
    }

    @Test func emptyEpochs() throws {
        for threads in [0, 2] {
            let loader = Loader(dataset: Pictures(5), maker: try Self.recipe(), seed: 1, threads: threads)
            let none = loader.epoch(0, order: [], batchSize: 4)
            #expect(none.next() == nil && none.batchCount == 0)
            let few = loader.epoch(0, order: [1, 2], batchSize: 4)
            #expect(few.next() == nil && few.next() == nil)
        }
    }
}
