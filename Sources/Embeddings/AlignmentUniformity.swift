internal import Foundation
public import Torch

/// The two measures of Wang and Isola 2020 (arXiv:2005.10242) on the unit sphere; lower is better for both.
public enum Sphere {
    /// Alignment (equation 3 with α = 2): the mean of ‖x − y‖² over positive pairs, after L2 normalisation. 0 ... 4.
    /// - Parameters:
    ///   - x: [n, d], one view of each image.
    ///   - y: [n, d], another view of the same images in the same order.
    /// - Throws: `FeatureError` `.shape`, `.width` or `.notFinite`.
    public static func alignment(_ x: Tensor, _ y: Tensor) throws(FeatureError) -> Double {
        try checkFeatures(x, "the first views' features")
        try checkFeatures(y, "the second views' features")
        guard x.shape == y.shape else {
            throw FeatureError(.width, "positive pairs need two matrices of one shape, not \(x.summary) and \(y.summary)")
        }
        return withoutGradients {
            let sum = x.rowBlocks().reduce(0.0) { sum, range in
                let difference = unit(x[range]) - unit(y[range])
                return sum + difference.squared().sum(1).widened.sum().item
            }
            return sum / Double(x.size(0))
        }
    }

    /// Uniformity (equation 4): log of the mean of exp(−t ‖x − y‖²) over all pairs of different rows, after L2
    /// normalisation. 0 when all rows point the same way, −2t at the least (all pairs opposite, which no large set is).
    ///
    /// All n (n − 1) / 2 pairs are computed, in tiles.
    /// - Parameters:
    ///   - x: [n, d], n ≥ 2.
    ///   - t: the Gaussian's sharpness; 2 in the paper.
    /// - Throws: `FeatureError` `.shape`, `.notFinite` or `.tooFewRows`.
    public static func uniformity(_ x: Tensor, t: Double = 2) throws(FeatureError) -> Double {
        try checkFeatures(x, "the features")
        let rows = x.size(0)
        guard rows >= 2 else { throw FeatureError(.tooFewRows, "uniformity needs at least 2 rows, not \(rows)") }
        return withoutGradients {
            let unitRows = unit(x)
            let step = 2048
            var sum = 0.0
            for first in stride(from: 0, to: rows, by: step) {
                let a = unitRows[first..<Swift.min(first + step, rows)]
                for second in stride(from: first, to: rows, by: step) {
                    let b = unitRows[second..<Swift.min(second + step, rows)]
                    // ‖x − y‖² = ‖x‖² + ‖y‖² − 2 x·y; zero rows keep their norm of 0.
                    let squared = a.squared().sum(1, keep: true) + b.squared().sum(1) - a.matmul(b.t) * 2
                    let kernel = (squared.clamped(0) * -t).exp()
                    // A tile on the diagonal holds every pair twice, and the rows with themselves.
                    let part = first == second ? kernel.upperTriangle(offset: 1) : kernel
                    sum += part.sum(1).widened.sum().item
                }
            }
            return Foundation.log(sum / (Double(rows) * Double(rows - 1) / 2))
        }
    }

    private static func unit(_ rows: Tensor) -> Tensor { rows.detached().to(.float32).normalized() }
}
