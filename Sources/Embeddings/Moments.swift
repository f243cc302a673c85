public import Torch

/// Mean and scatter of feature rows, gathered block by block in float64.
///
/// Blocks are combined by Chan, Golub and LeVeque 1983: S ← S + S_b + δδᵀ · n·n_b / (n + n_b), which keeps its digits
/// where Σxxᵀ − n·mmᵀ would cancel.
public struct Moments {
    /// How much of the scatter matrix is kept.
    public enum Extent: Sendable {
        /// All of it: [d, d].
        case full
        /// Its diagonal: [d].
        case diagonal
    }

    public let extent: Extent
    /// Rows so far.
    public private(set) var count = 0
    /// [d] float64.
    public private(set) var mean: Tensor
    /// Σ (x − m)(x − m)ᵀ: [d, d] or its diagonal [d], float64.
    public private(set) var scatter: Tensor

    /// Of no rows.
    public init(width: Int, _ extent: Extent = .full, on device: Device = .cpu) {
        self.extent = extent
        let place = device == .mps ? Device.cpu : device
        mean = .zeros([width], .float64, on: place)
        scatter = .zeros(extent == .full ? [width, width] : [width], .float64, on: place)
    }

    /// Of all rows of a matrix [n, d].
    public init(of matrix: Tensor, _ extent: Extent = .full) {
        self.init(width: matrix.size(1), extent, on: matrix.device)
        for range in matrix.rowBlocks() { add(matrix[range]) }
    }

    /// Adds rows [m, d].
    public mutating func add(_ block: Tensor) {
        let added = block.size(0)
        guard added > 0 else { return }
        withoutGradients {
            let rows = block.detached().widened
            let blockMean = rows.mean(0)
            let centred = rows - blockMean
            let difference = blockMean - mean
            let weight = Double(count) * Double(added) / Double(count + added)
            switch extent {
            case .full:
                let column = difference.unsqueezed(1)
                scatter = scatter + centred.t.matmul(centred) + column.matmul(column.t) * weight
            case .diagonal:
                scatter = scatter + centred.squared().sum(0) + difference.squared() * weight
            }
            mean = mean + difference * (Double(added) / Double(count + added))
        }
        count += added
    }

    /// Scatter's diagonal over n − correction: [d] float64.
    public func variances(correction: Int = 1) -> Tensor {
        (extent == .full ? scatter.diagonal : scatter) / Double(Swift.max(1, count - correction))
    }

    /// Scatter over n − correction: [d, d] float64.
    /// - Precondition: the extent is full.
    public func covariance(correction: Int = 1) -> Tensor {
        precondition(extent == .full, "a covariance matrix needs the full scatter")
        return scatter / Double(Swift.max(1, count - correction))
    }
}
