public import Torch

/// c ← m·c + (1 − m)·mean of a batch (Caron et al. 2021, arXiv:2104.14294, eq. 4).
public final class Centre: Module {
    /// [width], zero at first.
    public let value: Buffer
    private let momentum: Double

    public init(width: Int, momentum: Double) {
        value = Buffer(.zeros([width]))
        self.momentum = momentum
    }

    /// - Parameter rows: [n, width]
    public func update(_ rows: Tensor) {
        withoutGradients { value.value.lerpInPlace(rows.detached().mean(0).to(value.value.dataType), 1 - momentum) }
    }
}
