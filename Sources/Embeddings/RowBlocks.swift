package import Torch

extension Tensor {
    /// Ranges of rows that together are all rows, each of about `elements` values (2²²: 16 MiB of float32).
    package func rowBlocks(elements: Int = 1 << 22) -> [Range<Int>] {
        let rows = size(0)
        let step = Swift.max(1, elements / Swift.max(1, count / Swift.max(1, rows)))
        return stride(from: 0, to: rows, by: step).map { $0..<Swift.min($0 + step, rows) }
    }

    /// In float64; on the CPU where the device has no float64 (MPS).
    package var widened: Tensor { (device == .mps ? to(.cpu) : self).to(.float64) }

    /// Positions of the rows that hold a NaN or an infinity.
    package var nonFiniteRows: [Int] {
        rowBlocks().flatMap { range in
            let block = self[range].isFinite()
            if block.all().item != 0 { return [Int]() }
            let fine: [Bool] = block.to(.uint8).min(1).equal(1).values()
            return fine.indices.filter { !fine[$0] }.map { range.lowerBound + $0 }
        }
    }
}

/// Checks a feature matrix before anything is computed from it.
/// - Throws: `.shape` unless it is [n, d] with n, d ≥ 1 and a floating-point type; `.notFinite` with the first bad row.
package func checkFeatures(_ matrix: Tensor, _ what: String) throws(FeatureError) {
    guard matrix.rank == 2, matrix.count > 0, matrix.dataType.isFloatingPoint else {
        throw FeatureError(.shape, "\(what) must be a floating-point matrix [rows, dimensions], not \(matrix.summary)")
    }
    let bad = matrix.nonFiniteRows
    if let first = bad.first {
        throw FeatureError(
            .notFinite,
            "\(what) hold NaN or infinite values in \(bad.count) of \(matrix.size(0)) rows, first in row \(first): "
                + "the encoder diverged or an image is damaged; leave those rows out or use an earlier checkpoint")
    }
}
