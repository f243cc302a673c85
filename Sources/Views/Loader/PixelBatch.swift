/// The outputs of one batch, as bytes. Its memory is used again when the last reference goes: copy what has to stay.
public final class PixelBatch {
    /// The batch's number in its epoch. Numbers are missing where no image could be read.
    public let number: Int
    public let outputs: [OutputSpec]
    /// The samples' indices in the dataset.
    public let indices: [Int]
    /// Their labels; −1 where the dataset has none.
    public let labels: [Int]
    private let memory: BatchMemory
    private let pool: BatchPool

    init(number: Int, indices: [Int], labels: [Int], memory: BatchMemory, pool: BatchPool) {
        self.number = number
        self.outputs = memory.specs
        self.indices = indices
        self.labels = labels
        self.memory = memory
        self.pool = pool
    }

    deinit { pool.giveBack(memory) }

    /// Samples. The last batch of an epoch may have fewer than the others, and so may one with unreadable images.
    public var count: Int { indices.count }

    /// Output `output` of all samples: count × its shape, contiguous, aligned to 64 bytes. Valid as long as the batch is.
    public func bytes(_ output: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory.bases[output], count: count * outputs[output].bytes)
    }

    /// The output called `name`, or nil.
    public func bytes(named name: String) -> UnsafeMutableRawBufferPointer? {
        outputs.firstIndex { $0.name == name }.map { bytes($0) }
    }
}
