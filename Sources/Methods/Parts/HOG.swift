internal import Backbones
internal import Foundation
internal import Torch

/// Histograms of oriented gradients (Dalal & Triggs 2005), one cell to a block: what MaskFeat predicts, and scikit-image's `hog`
/// on each colour channel with `cells_per_block=(1, 1)`, `block_norm="L2"`.
enum HOG {
    /// - Parameters:
    ///   - x: [n, c, h, w]
    ///   - cell: its side in pixels.
    ///   - bins: of 0 … 180°.
    /// - Returns: [n, c · bins, h / cell, w / cell]; the bins of a channel are neighbours, each cell's of length 1.
    static func histograms(_ x: Tensor, cell: Int, bins: Int = 9) -> Tensor {
        let (rows, columns) = (x.size(2), x.size(3))
        // Central differences; 0 along the border.
        func difference(_ dimension: Int, _ count: Int) -> Tensor {
            let inner = x.narrowed(dimension, from: 2, count: count - 2) - x.narrowed(dimension, from: 0, count: count - 2)
            var shape = x.shape
            shape[dimension] = 1
            let border = Tensor.zeros(shape, x.dataType, on: x.device)
            return .concatenated([border, inner, border], dimension: dimension)
        }
        let (down, right) = (difference(2, rows), difference(3, columns))
        let magnitude = (down.squared() + right.squared()).sqrt()
        let turns = down.angle(x: right) / .pi
        // Half a turn is none.
        let position = (turns - turns.floor()) * Double(bins)
        let bin = position.floor().clamped(0, Double(bins - 1))
        let histograms = Tensor.stacked((0..<bins).map { magnitude * bin.equal(Double($0)).to(x.dataType) }, dimension: 2)
            .flattened(from: 1, to: 2).averagePool2d(cell, stride: cell)
        let cells = histograms.reshaped(x.size(0), x.size(1), bins, histograms.size(2), histograms.size(3))
        return (cells / (cells.squared().sum(2, keep: true) + 1e-10).sqrt()).flattened(from: 1, to: 2)
    }

    /// Of images' patches: pixels [n, 3, h, w], 0 … 255, to [n, patches, cells · 3 · bins], in the order row, column, channel and bin.
    static func ofPatches(_ pixels: Tensor, cell: Int, bins: Int, patchSize: Int) -> Tensor {
        let x = pixels.dataType.isFloatingPoint ? pixels : pixels.to(.float32)
        return PatchEncoder.values(histograms(x.contiguous() / 255, cell: cell, bins: bins), patchSize: patchSize / cell)
    }

    /// A picture of `ofPatches`: [n, 3, h, w], 0 … 255, in each cell a line through its middle for each bin, as bright as the bin is full.
    static func drawn(_ features: Tensor, _ grid: PatchGrid, patchSize: Int, cell: Int, bins: Int) -> Tensor {
        let middle = Double(cell - 1) / 2
        let lines = (0..<bins).flatMap { bin -> [Float] in
            // Edges stand across the gradient.
            let angle = (Double(bin) + 0.5) * .pi / Double(bins)
            return (0..<cell * cell).map { place in
                let (down, right) = (Double(place / cell) - middle, Double(place % cell) - middle)
                return abs(right * cos(angle) + down * sin(angle)) < 0.6 ? 1 : 0
            }
        }
        let (n, side) = (features.size(0), patchSize / cell)
        let cells = features.reshaped(-1, bins).matmul(Tensor(lines, [bins, cell * cell]).to(features.device))
        return cells.reshaped([n, grid.rows, grid.columns, side, side, 3, cell, cell]).permuted(0, 5, 1, 3, 6, 2, 4, 7)
            .reshaped(n, 3, grid.rows * patchSize, grid.columns * patchSize).clamped(0, 1) * 255
    }

    /// The side of a cell: the patch's, where no whole one fits into it.
    /// - Throws: where it does not divide the patch's.
    static func cell(_ side: Int, patchSize: Int) throws(SettingsError) -> Int {
        let cell = min(side, patchSize)
        try SettingsCheck.require(
            patchSize.isMultiple(of: cell),
            "method.cellSize must divide the patches' side (\(patchSize)), not be \(cell): change it or backbone.patchSize")
        return cell
    }
}
