/// One epoch's batches. Dropping it early stops its threads and waits for them.
public final class LoaderEpoch {
    /// Batches of the whole epoch, those before the first one made included.
    public let batchCount: Int
    private let work: EpochWork

    init(_ work: EpochWork, batchCount: Int) {
        self.work = work
        self.batchCount = batchCount
        work.start()
    }

    deinit { work.stop() }

    /// The next batch, waiting for it if need be; nil at the end. Batches of which no image can be read are passed over.
    public func next() -> PixelBatch? { work.next() }
}
