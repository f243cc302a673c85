public import Torch

/// One unit vector for every training sample (Wu et al. 2018, arXiv:1805.01978, section 3.1), random at first.
public final class MemoryBank: Module {
    /// [samples, width]
    public let entries: Buffer

    public init(samples: Int, width: Int) { entries = Buffer(Tensor.randn([samples, width]).normalized()) }

    /// The vectors of samples.
    /// - Parameter indices: int64, of any shape.
    /// - Returns: of the same shape with [width] behind it.
    public func callAsFunction(_ indices: Tensor) -> Tensor {
        entries.value.rows(indices.flattened()).reshaped(indices.shape + [entries.value.size(1)])
    }

    /// v ← m·v + (1 − m)·f, made unit again.
    /// - Parameters:
    ///   - indices: [n], each sample once.
    ///   - values: [n, width] unit vectors f.
    public func update(_ indices: Tensor, towards values: Tensor, momentum: Double) {
        withoutGradients {
            let new = self(indices) * momentum + values.detached().to(entries.value.dataType) * (1 - momentum)
            entries.value.indexCopyInPlace(0, indices, new.normalized())
        }
    }
}
