public import Torch

/// The newest rows of past batches, first in, first out (He et al. 2020, arXiv:1911.05722, section 3.1): a ring, saved with
/// the weights. Until it is full the rest is random unit vectors, as the authors' code begins.
public final class Queue: Module {
    /// [length, width]
    public let entries: Buffer
    /// Scalar int64: the rows that were ever added.
    public let added: Buffer

    public init(length: Int, width: Int) {
        entries = Buffer(Tensor.randn([length, width]).normalized())
        added = Buffer(.zeros([], .int64))
    }

    /// [length, width], in no order that means anything.
    public var rows: Tensor { entries.value }

    /// Whether no random rows are left. Waits for the device until that is so.
    public var isFull: Bool {
        if !isKnownFull { isKnownFull = Int(added.value.item) >= entries.value.size(0) }
        return isKnownFull
    }
    private var isKnownFull = false

    /// Replaces the oldest rows; of more rows than there is room for, the last stay.
    /// - Parameter new: [n, width]
    public func add(_ new: Tensor) {
        withoutGradients {
            let (count, length) = (new.size(0), entries.value.size(0))
            let dropped = Swift.max(0, count - length)
            let order = Tensor.arange(count, on: new.device) + added.value
            entries.value.indexCopyInPlace(
                0, order[dropped..<count].remainder(length), new[dropped..<count].detached().to(entries.value.dataType))
            added.value.addInPlace(Tensor(scalar: count).to(new.device))
        }
    }
}
