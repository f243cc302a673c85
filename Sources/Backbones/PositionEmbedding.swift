public import Torch

/// Where a patch is, as a vector.
public enum PositionEmbedding {
    /// Sines and cosines of column and row (MAE, He et al. 2021, arXiv:2111.06377; MoCo v3): of each, width / 4 sines and as many
    /// cosines of position · 10000^(−i / (width / 4)), columns first as MAE's code has it.
    /// - Precondition: `width` is a multiple of 4.
    /// - Returns: [patches, width], in reading order.
    public static func sinCos(_ grid: PatchGrid, width: Int) -> Tensor {
        precondition(width % 4 == 0, "sines and cosines of two coordinates need a width that is a multiple of 4, not \(width)")
        let quarter = width / 4
        let frequencies = (Tensor.arange(quarter, .float64) * (-Double.log10000 / Double(quarter))).exp()
        func waves(_ positions: Tensor) -> Tensor {
            let angles = positions.unsqueezed(1) * frequencies
            return .concatenated([angles.sin(), angles.cos()], dimension: 1)
        }
        let columns = waves(Tensor.arange(grid.columns, .float64)).unsqueezed(0).expanded([grid.rows, grid.columns, width / 2])
        let rows = waves(Tensor.arange(grid.rows, .float64)).unsqueezed(1).expanded([grid.rows, grid.columns, width / 2])
        return Tensor.concatenated([columns, rows], dimension: 2).reshaped(grid.count, width).to(.float32)
    }

    /// Positions of one grid at the places of another: bicubic and antialiased, as timm has it (DINO's code does without
    /// antialiasing).
    /// - Parameter positions: [1, patches, width]
    public static func resampled(_ positions: Tensor, from old: PatchGrid, to new: PatchGrid) -> Tensor {
        let map = positions.reshaped(1, old.rows, old.columns, -1).permuted(0, 3, 1, 2)
        return map.resizedBicubic(height: new.rows, width: new.columns).permuted(0, 2, 3, 1).reshaped(1, new.count, -1)
    }
}

extension Double {
    fileprivate static let log10000 = 9.210340371976184
}
