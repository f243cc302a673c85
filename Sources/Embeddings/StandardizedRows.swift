internal import Torch

/// Rows of a feature matrix as a probe is fitted to them. Of a small matrix they are made once; of a large one block by block, so
/// that nothing but the matrix itself, which may be mapped from a file, takes memory that grows with the rows.
struct StandardizedRows {
    private let matrix: Tensor
    /// Which rows of the matrix; nil for all.
    private let index: Tensor?
    private let standardization: Standardization?
    let dataType: DataType
    let count: Int
    /// Bytes of what is made once.
    static let copied = 1 << 28

    /// - Parameters:
    ///   - rows: of the matrix; nil for all.
    ///   - copied: the most bytes to make once.
    init(
        _ matrix: Tensor, rows: [Int]? = nil, _ standardization: Standardization? = nil, _ type: DataType = .float32,
        copied: Int = StandardizedRows.copied
    ) {
        count = rows?.count ?? matrix.size(0)
        dataType = type
        let index = rows.map { Tensor($0).to(matrix.device) }
        if count * matrix.size(1) * type.size <= copied {
            let chosen = index.map { matrix.rows($0) } ?? matrix
            self.matrix = (standardization?.apply(chosen) ?? chosen).to(type)
            (self.index, self.standardization) = (nil, nil)
        } else {
            (self.matrix, self.index, self.standardization) = (matrix, index, standardization)
        }
    }

    var width: Int { matrix.size(1) }
    var device: Device { matrix.device }

    /// The same rows for sums in another type.
    func of(_ type: DataType) -> StandardizedRows {
        type == dataType ? self : StandardizedRows(matrix, index, standardization, type)
    }

    private init(_ matrix: Tensor, _ index: Tensor?, _ standardization: Standardization?, _ type: DataType) {
        (self.index, self.standardization, dataType) = (index, standardization, type)
        self.matrix = standardization == nil && index == nil ? matrix.to(type) : matrix
        count = index?.size(0) ?? matrix.size(0)
    }

    /// [m, d].
    subscript(range: Range<Int>) -> Tensor {
        guard let index else { return made(matrix[range]) }
        return made(matrix.rows(index[range]))
    }

    /// - Parameter places: [m] int64.
    /// - Returns: [m, d].
    func rows(_ places: Tensor) -> Tensor { made(matrix.rows(index.map { $0.rows(places) } ?? places)) }

    private func made(_ rows: Tensor) -> Tensor { (standardization?.apply(rows) ?? rows).to(dataType) }

    /// As `Tensor.rowBlocks`.
    func blocks(elements: Int = 1 << 22) -> [Range<Int>] {
        let step = Swift.max(1, elements / Swift.max(1, width))
        return stride(from: 0, to: count, by: step).map { $0..<Swift.min($0 + step, count) }
    }
}
