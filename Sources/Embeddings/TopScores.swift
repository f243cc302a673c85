internal import Torch

/// The largest scores of each row, ties broken towards the lower column.
/// - Parameters:
///   - scores: [rows, columns] float32 without NaN, columns < 2²⁴.
///   - count: how many; at most the columns.
/// - Returns: two tensors [rows, count], in falling order of score.
func topScores(_ scores: Tensor, _ count: Int) -> (values: Tensor, columns: Tensor) {
    let columns = scores.size(1)
    precondition(count <= columns && columns < 1 << 24, "\(count) of \(columns) scores asked for")
    guard scores.device == .cpu else { return topScoresByKeys(scores, count) }
    let best = TopScores(rows: scores.size(0), count: count)
    best.add(scores)
    return best.result
}

/// The same with libtorch's operations, for the devices that the CPU's loop does not reach.
///
/// `topk` breaks ties as it likes. One element more than asked for shows which rows are tied at the boundary; only those
/// are chosen again, by a key that is larger for lower columns.
func topScoresByKeys(_ scores: Tensor, _ count: Int) -> (values: Tensor, columns: Tensor) {
    let columns = scores.size(1)
    var chosen: Tensor
    if count == columns {
        chosen = Tensor.arange(columns, on: scores.device).unsqueezed(0).expanded(scores.shape)
    } else {
        let (best, at) = scores.top(count + 1)
        chosen = at.narrowed(1, from: 0, count: count)
        let threshold = best.narrowed(1, from: count - 1, count: 1)
        let tied: [Bool] = best.narrowed(1, from: count, count: 1).equal(threshold).squeezed(1).values()
        let rows = tied.indices.filter { tied[$0] }
        if !rows.isEmpty {
            let index = Tensor(rows).to(scores.device)
            let part = scores.rows(index)
            let limit = threshold.rows(index)
            // Scores above the threshold are in whatever happens; of the equal ones, the lower columns are.
            let falling = Double(columns) - Tensor.arange(columns, .float32, on: scores.device)
            let key = falling.expanded(part.shape).filled(-1, where: part.less(limit)).filled(.infinity, where: part.greater(limit))
            chosen = chosen.contiguous()
            chosen.indexCopyInPlace(0, index, key.top(count).indices)
        }
    }
    let rising = chosen.sorted(1).values
    return inFallingOrder(scores.gathered(1, rising), rising)
}

/// Both tensors [rows, n] reordered by falling value; equal values keep their order.
func inFallingOrder(_ values: Tensor, _ companions: Tensor) -> (values: Tensor, columns: Tensor) {
    let (sorted, order) = values.sorted(1, descending: true)
    return (sorted, companions.gathered(1, order))
}
