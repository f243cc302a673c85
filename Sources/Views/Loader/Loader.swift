/// Turns a dataset into batches of bytes: decodes and augments ahead of the reader, in threads that sleep when there is
/// nothing to do.
///
/// The batches are the same, byte for byte and in the same order, whatever the number of threads.
public final class Loader: Sendable {
    public let dataset: any ImageDataset
    public let maker: any ViewMaker
    public let seed: UInt64
    public let threads: Int
    public let prefetch: Int
    let source: ImageSource
    let pool: BatchPool

    /// - Parameters:
    ///   - threads: Threads that make batches; 0 to do the work in `next()`.
    ///   - prefetch: Batches that may be under way or finished ahead of the reader, at least 1.
    ///   - cacheBytes: How many bytes of decoded images to keep from epoch to epoch; the first to be decoded stay.
    public init(
        dataset: any ImageDataset, maker: any ViewMaker, seed: UInt64, threads: Int, prefetch: Int = 2, cacheBytes: Int = 0
    ) {
        precondition(threads >= 0 && prefetch >= 1 && cacheBytes >= 0, "loader: threads ≥ 0, prefetch ≥ 1 and cacheBytes ≥ 0 are needed")
        self.dataset = dataset
        self.maker = maker
        self.seed = seed
        self.threads = threads
        self.prefetch = prefetch
        source = ImageSource(dataset, target: maker.decodeTarget, cacheBytes: cacheBytes)
        pool = BatchPool(kept: prefetch + 1)
    }

    /// The images that could not be read so far. They are left out of their batches and not tried again.
    public var unreadable: UnreadableLog { source.unreadable }

    /// Begins an epoch; its threads start at once and end with the returned object.
    ///
    /// - Parameters:
    ///   - order: Indices of the samples to visit, such as `Sampler.shuffled`'s.
    ///   - dropLast: Whether to leave out a last batch that is not full.
    ///   - batch: The number of the first batch to make, to go on where a run stopped.
    public func epoch(_ epoch: Int, order: [Int], batchSize: Int, dropLast: Bool = true, startingAt batch: Int = 0) -> LoaderEpoch {
        precondition(batchSize > 0 && batch >= 0, "loader: the batch size must be at least 1 and the first batch at least 0")
        let batches = dropLast ? order.count / batchSize : (order.count + batchSize - 1) / batchSize
        return LoaderEpoch(
            EpochWork(loader: self, epoch: epoch, order: order, batchSize: batchSize, batches: min(batch, batches)..<batches),
            batchCount: batches)
    }
}
