public import Torch

/// How near two feature vectors are.
public enum Similarity: String, Sendable, CaseIterable, Codable {
    /// x·y / (‖x‖ ‖y‖); 0 with a zero vector.
    case cosine
    /// x·y
    case innerProduct
    /// ‖x − y‖
    case euclidean
}

/// The nearest rows of a bank, nearest first.
public struct Neighbours {
    /// [queries, k] int64: rows of the bank. Equal values come with the lower row first.
    public let indices: Tensor
    /// [queries, k] float32: similarities in falling order, or Euclidean distances in rising order.
    public let values: Tensor
}

/// Exact nearest neighbours of all queries in a bank that arrives in blocks.
///
/// Queries × bank is computed in tiles (a matrix product, whose best k join the best so far): memory is the queries, the k
/// best of each and a few tiles, however long the bank is, and how it is cut does not matter. Everything happens on the
/// queries' device.
///
/// Euclidean candidates are found by ‖q‖² + ‖b‖² − 2 q·b around the first block's mean, whose rounding (about 10⁻⁷ of the
/// squared norms) can only swap neighbours that are that close; their distances are then computed again as ‖q − b‖, so
/// that duplicates are at distance 0.
///
///     let search = NearestNeighbours(of: queries, count: 20, by: .cosine)
///     for block in blocks { search.add(block) }
///     let neighbours = search.result()
public final class NearestNeighbours {
    /// Scores of one of `tiles`: 32 MiB of float32.
    private static let tileElements = 1 << 23

    private let queries: Tensor
    private let count: Int
    private let similarity: Similarity
    private let selfRows: Range<Int>?
    private var shift: Tensor?
    private var tiles: [Tile] = []
    /// The best of all queries, on the CPU; `tiles` keep them elsewhere, and where distances are computed again.
    private let selection: TopScores?
    /// Rows of the bank in one tile, of bounded size; the tile's other side follows. Choosing and merging k of few rows
    /// would cost more than the product, so that more neighbours need more rows.
    private var partRows: Int {
        let fitting = (1 << 24) / Swift.max(1, queries.size(1))
        if selection != nil { return Swift.max(1, Swift.min(8, fitting >> 10)) << 10 }
        return Swift.max(1 << 12, Swift.min(count <= 64 ? 1 << 13 : 1 << 15, fitting))
    }
    /// Rows that do not fill a part yet. Parts of one size make the result independent of how the bank was cut: products
    /// of other shapes round differently.
    private var waiting: [Tensor] = []
    private var waitingRows = 0
    private var computedRows = 0
    /// Rows of the bank so far.
    public private(set) var bankRows = 0

    /// Some queries and the best of them so far. Scores are larger for nearer rows: for Euclidean ones −‖q − b‖².
    private struct Tile {
        let rows: Range<Int>
        var scores: Tensor?
        var indices: Tensor?
    }

    /// - Parameters:
    ///   - queries: [n, d] of finite values, any floating-point type; computed in float32.
    ///   - count: k ≥ 1; fewer come back when the bank has fewer rows.
    ///   - selfRows: the bank's rows that are the queries themselves, in order, which are then no neighbours of
    ///     themselves (leave-one-out). Other rows with equal values still are.
    public init(of queries: Tensor, count: Int, by similarity: Similarity = .cosine, excluding selfRows: Range<Int>? = nil) {
        precondition(queries.rank == 2, "queries must be [n, d], not \(queries.summary)")
        precondition(count > 0, "\(count) neighbours asked for")
        precondition(selfRows == nil || selfRows!.count == queries.size(0), "\(selfRows!.count) own rows for \(queries.size(0)) queries")
        let values = queries.detached().to(.float32)
        self.queries = similarity == .cosine ? values.normalized() : values
        self.count = count
        self.similarity = similarity
        self.selfRows = selfRows
        selection =
            similarity != .euclidean && queries.device == .cpu ? TopScores(rows: queries.size(0), count: count) : nil
    }

    /// Adds the bank's next rows.
    /// - Parameter block: [m, d] of finite values; moved to the queries' device.
    public func add(_ block: Tensor) {
        precondition(
            block.rank == 2 && block.size(1) == queries.size(1), "a bank of \(block.summary) for queries of \(queries.summary)")
        guard block.size(0) > 0 else { return }
        let bank = block.detached()
        bankRows += bank.size(0)
        var start = 0
        while start < bank.size(0) {
            let taken = Swift.min(partRows - waitingRows, bank.size(0) - start)
            waiting.append(bank[start..<start + taken].to(queries.device).to(.float32))
            waitingRows += taken
            start += taken
            if waitingRows == partRows { addWaiting() }
        }
    }

    private func addWaiting() {
        guard waitingRows > 0 else { return }
        let part = waiting.count == 1 ? waiting[0] : Tensor.concatenated(waiting)
        (waiting, waitingRows) = ([], 0)
        withoutGradients { addPart(part) }
    }

    private func addPart(_ part: Tensor) {
        if tiles.isEmpty, selection == nil {
            let step = Self.tileElements / partRows
            tiles = stride(from: 0, to: queries.size(0), by: step).map { Tile(rows: $0..<Swift.min($0 + step, queries.size(0))) }
            if similarity == .euclidean { shift = part.mean(0, keep: true) }
        }
        let bank = Block(values: part, similarity: similarity, shift: shift, start: computedRows)
        selection?.add(productsOf: queries, with: bank.forProduct, column: computedRows, own: selfRows?.lowerBound)
        for index in tiles.indices { merge(bank, into: &tiles[index]) }
        computedRows += part.size(0)
    }

    /// Rows of the bank as the products need them.
    private struct Block {
        let values: Tensor
        let forProduct: Tensor
        let squaredNorms: Tensor?
        let rows: Range<Int>

        init(values: Tensor, similarity: Similarity, shift: Tensor?, start: Int) {
            self.values = values
            switch similarity {
            case .cosine: forProduct = values.normalized()
            case .innerProduct: forProduct = values
            case .euclidean: forProduct = values - shift!
            }
            squaredNorms = similarity == .euclidean ? forProduct.squared().sum(1) : nil
            rows = start..<start + values.size(0)
        }
    }

    private func merge(_ bank: Block, into tile: inout Tile) {
        var rows = queries[tile.rows]
        let scores: Tensor
        if let norms = bank.squaredNorms {
            rows = rows - shift!
            scores = (rows * 2).matmul(bank.forProduct.t)
            scores.addInPlace(norms, scale: -1)
            scores.addInPlace(rows.squared().sum(1, keep: true), scale: -1)
        } else {
            scores = rows.matmul(bank.forProduct.t)
        }
        removeSelf(from: scores, tile.rows, bank.rows)

        let best = topScores(scores, Swift.min(count, bank.rows.count))
        let places = best.columns + Tensor(scalar: bank.rows.lowerBound)
        guard let before = tile.scores, let beforeIndices = tile.indices else {
            (tile.scores, tile.indices) = rescored(best.values, places, tile.rows, bank)
            return
        }
        // Earlier rows stand first: the lower row wins a tie.
        let all = Tensor.concatenated([before, best.values], dimension: 1)
        let merged = topScores(all, Swift.min(count, all.size(1)))
        let indices = Tensor.concatenated([beforeIndices, places], dimension: 1).gathered(1, merged.columns)
        (tile.scores, tile.indices) = rescored(merged.values, indices, tile.rows, bank)
    }

    /// −∞ where a query meets itself.
    private func removeSelf(from scores: Tensor, _ tileRows: Range<Int>, _ bankRows: Range<Int>) {
        guard let selfRows else { return }
        let own = (tileRows.lowerBound + selfRows.lowerBound)..<(tileRows.upperBound + selfRows.lowerBound)
        let shared = own.clamped(to: bankRows)
        guard !shared.isEmpty else { return }
        let square = scores.narrowed(0, from: shared.lowerBound - own.lowerBound, count: shared.count)
            .narrowed(1, from: shared.lowerBound - bankRows.lowerBound, count: shared.count)
        square.diagonal.fillInPlace(-.infinity)
    }

    /// Euclidean scores of this block's rows computed from the differences, in order again.
    private func rescored(_ scores: Tensor, _ indices: Tensor, _ tileRows: Range<Int>, _ bank: Block) -> (Tensor, Tensor) {
        guard similarity == .euclidean else { return (scores, indices) }
        let kept = indices.size(1)
        let places: [Int] = indices.contiguous().values()
        let fresh = places.indices.filter { bank.rows.contains(places[$0]) }
        guard !fresh.isEmpty else { return (scores, indices) }
        let ownRow = fresh.map { tileRows.lowerBound + $0 / kept }
        let row = fresh.map { places[$0] - bank.rows.lowerBound }
        let flat = scores.contiguous().reshaped(-1).cloned()
        let step = Swift.max(1, (1 << 22) / queries.size(1))
        for start in stride(from: 0, to: fresh.count, by: step) {
            let part = start..<Swift.min(start + step, fresh.count)
            let index: (ArraySlice<Int>) -> Tensor = { [queries] in Tensor(Array($0)).to(queries.device) }
            let difference = queries.rows(index(ownRow[part])) - bank.values.rows(index(row[part]))
            let exact = -difference.squared().sum(1)
            let at = index(fresh[part])
            // A query's own row stays −∞.
            flat.indexCopyInPlace(0, at, exact.filled(-.infinity, where: flat.rows(at).equal(-.infinity)))
        }
        // Equal distances could now stand in the wrong order: by row first, then by score, stably.
        let byRow = indices.sorted(1)
        return inFallingOrder(flat.reshaped(scores.shape).gathered(1, byRow.indices), byRow.values)
    }

    /// What was found in the rows so far: min(k, rows, without the query itself) neighbours of each query.
    ///
    /// Rows can be added afterwards, but then how the bank was cut may decide between rows that are equally near to
    /// rounding.
    public func result() -> Neighbours {
        addWaiting()
        let available = bankRows - (selfRows == nil ? 0 : 1)
        let kept = Swift.max(0, Swift.min(count, available))
        guard kept > 0, queries.size(0) > 0 else {
            return Neighbours(
                indices: .zeros([queries.size(0), 0], .int64, on: queries.device), values: .zeros([queries.size(0), 0], on: queries.device))
        }
        if let found = selection?.result {
            return Neighbours(
                indices: found.columns.narrowed(1, from: 0, count: kept), values: found.values.narrowed(1, from: 0, count: kept))
        }
        let indices = Tensor.concatenated(tiles.map { $0.indices!.narrowed(1, from: 0, count: kept) })
        let scores = Tensor.concatenated(tiles.map { $0.scores!.narrowed(1, from: 0, count: kept) })
        return Neighbours(indices: indices, values: similarity == .euclidean ? (-scores).clamped(0).sqrt() : scores)
    }

    /// The `count` nearest rows of `bank` for every row of `queries`.
    /// - Parameters: as for `init`; `bank` is [m, d], and may be larger than the queries' device if it is on the CPU.
    public static func find(
        _ count: Int, of queries: Tensor, in bank: Tensor, by similarity: Similarity = .cosine, excluding selfRows: Range<Int>? = nil
    ) -> Neighbours {
        let search = NearestNeighbours(of: queries, count: count, by: similarity, excluding: selfRows)
        search.add(bank)
        return search.result()
    }

    /// The `count` nearest other rows of every row of one matrix.
    public static func findOthers(_ count: Int, in matrix: Tensor, by similarity: Similarity = .cosine) -> Neighbours {
        find(count, of: matrix, in: matrix, by: similarity, excluding: 0..<matrix.size(0))
    }
}
