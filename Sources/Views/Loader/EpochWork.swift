import Foundation

/// What an epoch's threads share. Everything mutable is read and written under `condition`, but for the samples that a
/// thread has claimed.
final class EpochWork: @unchecked Sendable {
    private let loader: Loader
    private let epoch: Int
    private let order: [Int]
    private let batchSize: Int
    private let condition = NSCondition()
    /// Batches not yet begun.
    private var waiting: Range<Int>
    /// Batches begun and not yet handed over, in order.
    private var jobs: [BatchJob] = []
    private var isStopped = false
    private var threadsAlive = 0
    /// The reader's own, when there are no threads.
    private var scratch = Scratch()

    init(loader: Loader, epoch: Int, order: [Int], batchSize: Int, batches: Range<Int>) {
        self.loader = loader
        self.epoch = epoch
        self.order = order
        self.batchSize = batchSize
        waiting = batches
    }

    func start() {
        threadsAlive = waiting.isEmpty ? 0 : loader.threads
        for number in 0..<threadsAlive {
            let thread = Thread { self.work() }
            thread.name = "loader \(number)"
            // Decoders are deeper than the half megabyte that Darwin gives.
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Ends the threads and waits until they have ended.
    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        while threadsAlive > 0 { condition.wait() }
        for job in jobs { loader.pool.giveBack(job.memory) }
        jobs.removeAll()
        condition.unlock()
    }

    // MARK: The reader

    func next() -> PixelBatch? {
        while let job = nextJob() {
            let indices = job.compact()
            if indices.isEmpty {
                loader.pool.giveBack(job.memory)
                continue
            }
            let labels = indices.map { loader.dataset.label(at: $0) ?? -1 }
            return PixelBatch(number: job.number, indices: indices, labels: labels, memory: job.memory, pool: loader.pool)
        }
        return nil
    }

    private func nextJob() -> BatchJob? {
        if loader.threads == 0 {
            guard let job = begin() else { return nil }
            job.make(0..<job.indices.count, loader.source, loader.maker, seed: loader.seed, epoch: epoch, scratch: &scratch)
            return job
        }
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let job = jobs.first, job.isDone {
                jobs.removeFirst()
                // There is room for another.
                condition.broadcast()
                return job
            }
            if jobs.isEmpty, waiting.isEmpty { return nil }
            condition.wait()
        }
    }

    // MARK: The threads

    private func work() {
        var scratch = Scratch()
        condition.lock()
        while !isStopped {
            if let (job, positions) = claim() {
                condition.unlock()
                job.make(positions, loader.source, loader.maker, seed: loader.seed, epoch: epoch, scratch: &scratch)
                condition.lock()
                job.unfinished -= positions.count
                if job.unfinished == 0 {
                    job.isDone = true
                    condition.broadcast()
                }
            } else if waiting.isEmpty {
                break
            } else {
                condition.wait()
            }
        }
        threadsAlive -= 1
        condition.broadcast()
        condition.unlock()
    }

    /// Some samples of the earliest batch that has unclaimed ones, so that all threads finish one batch before the next.
    private func claim() -> (BatchJob, Range<Int>)? {
        var job = jobs.first { $0.next < $0.indices.count }
        if job == nil, jobs.count < loader.prefetch, let begun = begin() {
            jobs.append(begun)
            job = begun
            condition.broadcast()
        }
        guard let job else { return nil }
        let count = min(max(1, job.indices.count / (8 * loader.threads)), 16, job.indices.count - job.next)
        defer { job.next += count }
        return (job, job.next..<job.next + count)
    }

    private func begin() -> BatchJob? {
        guard let number = waiting.popFirst() else { return nil }
        let indices = Array(order[number * batchSize..<min(order.count, (number + 1) * batchSize)])
        return BatchJob(number: number, indices: indices, memory: loader.pool.take(loader.maker.outputs, capacity: batchSize))
    }
}
