import Foundation

/// One batch's outputs: for each a block of `capacity` samples, aligned to cache lines.
///
/// Not synchronised: the loader hands each sample's part to one thread, and the whole to one reader afterwards.
final class BatchMemory: @unchecked Sendable {
    let specs: [OutputSpec]
    let capacity: Int
    let bases: [UnsafeMutableRawPointer]

    init(_ specs: [OutputSpec], capacity: Int) {
        self.specs = specs
        self.capacity = capacity
        bases = specs.map { .allocate(byteCount: max(1, $0.bytes * capacity), alignment: 64) }
    }

    deinit { for base in bases { base.deallocate() } }

    func sample(_ position: Int) -> OutputBuffers { OutputBuffers(specs, at: bases, position: position) }

    /// Copies the sample at `from` over the one at `to`.
    func move(from: Int, to: Int) {
        for (base, spec) in zip(bases, specs) {
            (base + to * spec.bytes).copyMemory(from: base + from * spec.bytes, byteCount: spec.bytes)
        }
    }
}

/// Batch memory to be used again: allocating and first touching tens of megabytes for every batch would cost more than
/// small views do.
final class BatchPool: @unchecked Sendable {
    private let lock = NSLock()
    private let kept: Int
    private var free: [BatchMemory] = []
    private var made = 0
    private var lent = 0
    private var mostLent = 0

    /// - Parameter kept: How many unused ones are held back.
    init(kept: Int) { self.kept = kept }

    func take(_ specs: [OutputSpec], capacity: Int) -> BatchMemory {
        lock.withLock {
            lent += 1
            mostLent = max(mostLent, lent)
            if let place = free.firstIndex(where: { $0.capacity >= capacity && $0.specs == specs }) { return free.remove(at: place) }
            // Of another shape, then: a change of batch size leaves nothing behind.
            free.removeAll()
            made += 1
            return BatchMemory(specs, capacity: capacity)
        }
    }

    func giveBack(_ memory: BatchMemory) {
        lock.withLock {
            lent -= 1
            if free.count < kept { free.append(memory) }
        }
    }

    /// For tests: how many were allocated in all, and how many were in use at most.
    var counts: (made: Int, mostLent: Int) { lock.withLock { (made, mostLent) } }
}
