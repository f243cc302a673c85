internal import CTorch

/// The largest values of each row of a float32 matrix on the CPU that comes in blocks of columns, from left to right; of equal
/// ones, the lower columns. Each block is read once, and is not kept.
public final class TopScores {
    private let handle: ct_top_scores

    /// - Parameters:
    ///   - rows: of the matrix.
    ///   - count: how many of each row.
    public init(rows: Int, count: Int) {
        var made: ct_top_scores?
        check("top_scores") { ct_top_scores_begin(Int64(rows), Int64(count), &made) }
        handle = made!
    }

    deinit { ct_top_scores_release(handle) }

    /// Adds a block [r, c] without NaN, whose upper left element is at `row` and `column` < 2³¹. In each row, columns must rise
    /// from call to call.
    public func add(_ scores: Tensor, row: Int = 0, column: Int = 0) {
        check("top_scores", scores) { ct_top_scores_add(handle, scores.handle, Int64(row), Int64(column)) }
    }

    /// Adds the products of `queries` [rows, d] with the rows of `bank` [c, d] as columns from `column` on.
    /// - Parameter own: the column of the first query itself, the others following, where a row's own column is to be −∞.
    public func add(productsOf queries: Tensor, with bank: Tensor, column: Int, own: Int? = nil) {
        check("top_scores", queries, bank) {
            ct_top_scores_add_products(handle, queries.handle, bank.handle, Int64(column), Int64(own ?? -1))
        }
    }

    /// [rows, k] in falling order; k is `count`, or the columns that the shortest row had so far.
    public var result: (values: Tensor, columns: Tensor) {
        var (values, columns): (ct_tensor?, ct_tensor?)
        check("top_scores") { ct_top_scores_result(handle, &values, &columns) }
        return (Tensor(values!), Tensor(columns!))
    }
}
