import Foundation

/// A batch being made. Threads claim samples of it under the loader's lock; each then works on its own.
final class BatchJob: @unchecked Sendable {
    let number: Int
    let indices: [Int]
    let memory: BatchMemory
    /// The first sample that no thread has claimed, and how many are not finished.
    var next = 0
    var unfinished: Int
    var isDone = false
    private let readable: UnsafeMutableBufferPointer<Bool>
    private let lock = NSLock()
    private var images: [Int: PixelImage] = [:]

    init(number: Int, indices: [Int], memory: BatchMemory) {
        self.number = number
        self.indices = indices
        self.memory = memory
        unfinished = indices.count
        readable = .allocate(capacity: indices.count)
        readable.initialize(repeating: false)
    }

    deinit { readable.deallocate() }

    /// Makes the samples at `positions`.
    func make(_ positions: Range<Int>, _ source: ImageSource, _ maker: any ViewMaker, seed: UInt64, epoch: Int, scratch: inout Scratch) {
        let clips = maker as? any ClipViewMaker
        for position in positions {
            let key = SampleKey(seed: seed, epoch: epoch, index: indices[position], batch: number, position: position)
            if let clips {
                guard let (frames, count) = source.frames(indices[position], for: clips, key: key) else { continue }
                clips.make(frames, of: count, key: key, into: memory.sample(position), scratch: &scratch)
            } else {
                guard let image = image(position, from: source, keeping: maker.usesPartners) else { continue }
                let partners = BatchPartners(job: self, position: position, source: source)
                maker.make(image, key: key, partners: partners, into: memory.sample(position), scratch: &scratch)
            }
            readable[position] = true
        }
    }

    /// Moves the readable samples together. Their indices are what the batch consists of.
    func compact() -> [Int] {
        let kept = readable.indices.filter { readable[$0] }
        for (to, from) in kept.enumerated() where to != from { memory.move(from: from, to: to) }
        images.removeAll()
        return kept.map { indices[$0] }
    }

    func image(_ position: Int, from source: ImageSource, keeping: Bool) -> PixelImage? {
        if !keeping { return source.image(indices[position]) }
        if let image = lock.withLock({ images[position] }) { return image }
        // Two threads may decode the same image here; that is rarer and cheaper than waiting for each other.
        let image = source.image(indices[position])
        if let image { lock.withLock { images[position] = image } }
        return image
    }
}

/// A batch's other images, decoded when they are asked for.
private struct BatchPartners: PartnerImages {
    let job: BatchJob
    let position: Int
    let source: ImageSource

    func image(_ n: Int) -> PixelImage? {
        let count = job.indices.count
        return job.image(((position + n) % count + count) % count, from: source, keeping: true)
    }
}
