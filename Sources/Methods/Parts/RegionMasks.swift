internal import Backbones
internal import Torch

/// Which pixels are taken out of an image (Pathak et al. 2016, arXiv:1604.07379, section 3.3). Chance comes from the CPU's
/// generator, whose state checkpoints keep.
enum RegionMasks {
    /// Rectangles that cover up to a share, with edges on a grid of 16 × 16: [n, 1, side, side] float, 1 where hidden.
    static func blocks(_ images: Int, side: Int, share: Double) -> Tensor {
        let grid = min(16, side)
        let mask = PatchMasks.blocks(
            Array(repeating: share, count: images), PatchGrid(rows: grid, columns: grid), least: max(1, grid * grid / 32), on: .cpu)
        return enlarged(mask.to(.float32).reshaped(images, 1, grid, grid), to: side)
    }

    /// Shapes without straight edges that cover a share: where smooth noise is highest.
    static func regions(_ images: Int, side: Int, share: Double) -> Tensor {
        let coarse = max(2, min(6, side / 4))
        let noise = Tensor.rand([images, 1, coarse, coarse]).resizedBicubic(height: side, width: side).flattened(from: 1)
        let hidden = max(1, Int(share * Double(side * side)))
        let ranks = (-noise).sorted().indices.sorted().indices
        return ranks.less(Double(hidden)).to(.float32).reshaped(images, 1, side, side)
    }

    /// By nearest neighbours.
    private static func enlarged(_ mask: Tensor, to side: Int) -> Tensor {
        let grid = mask.size(2)
        let places = (Tensor.arange(side, .float64) * (Double(grid) / Double(side))).floor().to(.int64)
        return mask.rows(places, dimension: 2).rows(places, dimension: 3)
    }
}
