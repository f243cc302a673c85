@testable import Embeddings
import Testing
import Torch

@Suite struct NearestNeighboursTests {
    @Test(arguments: [("cosine", Similarity.cosine), ("inner", .innerProduct), ("euclidean", .euclidean)])
    func agreesWithFaiss(_ name: String, _ similarity: Similarity) throws {
        let values = try References.tensors("queries", "bank", "\(name).indices", "\(name).values")
        let found = NearestNeighbours.find(12, of: values[0], in: values[1], by: similarity)
        #expect(found.indices.shape == [90, 12] && found.values.shape == [90, 12])
        #expect(largestDifference(found.values, values[3]) < 2e-4 * values[3].abs().max().item)
        // Near ties may swap in another order of summation.
        let same = found.indices.equal(values[2]).to(.float32).mean().item
        #expect(same > 0.995)
        // It would have been seen if the similarities were mixed up.
        for other in Similarity.allCases where other != similarity {
            let wrong = NearestNeighbours.find(12, of: values[0], in: values[1], by: other)
            #expect(wrong.indices.equal(values[2]).to(.float32).mean().item < 0.95)
        }
    }

    @Test(arguments: Similarity.allCases)
    func blocksGiveWhatTheWholeGives(_ similarity: Similarity) throws {
        let (queries, bank) = (normal(50, 24, seed: 1), normal(9000, 24, seed: 2))
        let whole = NearestNeighbours.find(7, of: queries, in: bank, by: similarity)
        let search = NearestNeighbours(of: queries, count: 7, by: similarity)
        for (start, end) in [(0, 3), (3, 5), (5, 4100), (4100, 4100), (4100, 9000)] { search.add(bank[start..<end]) }
        #expect(search.bankRows == 9000)
        let found = search.result()
        #expect(found.indices.ints == whole.indices.ints)
        #expect(largestDifference(found.values, whole.values) == 0)
        // Against the definition.
        let (q, b) = (queries.to(.float64), bank.to(.float64))
        let scores =
            switch similarity {
            case .cosine: q.normalized().matmul(b.normalized().t)
            case .innerProduct: q.matmul(b.t)
            case .euclidean: -(q.unsqueezed(1) - b.unsqueezed(0)).squared().sum(2).sqrt()
            }
        let (best, order) = scores.sorted(1, descending: true)
        #expect(whole.indices.ints == order.narrowed(1, from: 0, count: 7).ints)
        let expected = best.narrowed(1, from: 0, count: 7)
        #expect(largestDifference(whole.values, similarity == .euclidean ? -expected : expected) < 1e-4)
    }

    @Test(arguments: Similarity.allCases)
    func duplicatesComeLowerRowFirst(_ similarity: Similarity) {
        // Ten different unit vectors, each 30 times, in turn: row r equals row r mod 10.
        let base = normal(10, 16, seed: 3).normalized()
        let bank = Tensor.concatenated(Array(repeating: base, count: 30))
        let found = NearestNeighbours.find(4, of: base, in: bank, by: similarity)
        let expected = (0..<10).flatMap { row in [row, row + 10, row + 20, row + 30] }
        #expect(found.indices.ints == expected)
        // The same in blocks that cut the duplicates.
        let search = NearestNeighbours(of: base, count: 4, by: similarity)
        for start in stride(from: 0, to: 300, by: 7) { search.add(bank[start..<min(start + 7, 300)]) }
        #expect(search.result().indices.ints == expected)
        if similarity == .euclidean { #expect(found.values.max().item == 0) }
    }

    @Test func aConstantBankIsTakenInOrder() {
        let found = NearestNeighbours.find(5, of: .ones([3, 8]), in: .ones([20_000, 8]))
        #expect(found.indices.ints == Array(repeating: [0, 1, 2, 3, 4], count: 3).flatMap(\.self))
    }

    @Test(arguments: Similarity.allCases)
    func leaveOneOutExcludesSelfAndNothingElse(_ similarity: Similarity) {
        let matrix = normal(6000, 12, seed: 4)
        // Row 5000 is a duplicate of row 17: a neighbour like any other.
        matrix.indexCopyInPlace(0, Tensor([5000]), matrix[17..<18].cloned())
        let found = NearestNeighbours.findOthers(3, in: matrix, by: similarity)
        let own = Tensor.arange(6000).unsqueezed(1)
        #expect(found.indices.equal(own).any().item == 0)
        if similarity != .innerProduct {
            #expect(found.indices[17].ints[0] == 5000 && found.indices[5000].ints[0] == 17)
            // With itself, every row is its own nearest one (17 before 5000).
            let including = NearestNeighbours.find(3, of: matrix, in: matrix, by: similarity).indices.selected(1, 0).ints
            #expect(including.indices.allSatisfy { including[$0] == ($0 == 5000 ? 17 : $0) })
        }
        // A part of the rows, told where it lies in the bank.
        let part = NearestNeighbours.find(3, of: matrix[100..<140], in: matrix, by: similarity, excluding: 100..<140)
        #expect(part.indices.ints == found.indices[100..<140].ints)
    }

    @Test func fewerRowsThanNeighbours() {
        let matrix = normal(4, 8, seed: 5)
        #expect(NearestNeighbours.find(10, of: matrix, in: matrix).indices.shape == [4, 4])
        let others = NearestNeighbours.findOthers(10, in: matrix)
        #expect(others.indices.shape == [4, 3] && others.values.isFinite().all().item == 1)
        #expect(NearestNeighbours.findOthers(10, in: matrix, by: .euclidean).values.isFinite().all().item == 1)
        let empty = NearestNeighbours(of: matrix, count: 3)
        #expect(empty.result().indices.shape == [4, 0])
        #expect(NearestNeighbours.findOthers(2, in: normal(1, 8, seed: 6)).indices.shape == [1, 0])
    }

    @Test func euclideanKeepsItsDigitsFarFromTheOrigin() {
        // Distances of about 0.1 around a point at distance 10,000.
        let near = normal(200, 8, seed: 7) * 0.1
        let far = near + 4000
        let exact = NearestNeighbours.findOthers(3, in: far.to(.float32), by: .euclidean)
        let reference = NearestNeighbours.findOthers(3, in: (far - 4000), by: .euclidean)
        #expect(exact.indices.equal(reference.indices).to(.float32).mean().item > 0.99)
        #expect(largestDifference(exact.values, reference.values) < 1e-4)
    }

    @Test func zeroVectorsHaveCosineZero() {
        let bank = Tensor.concatenated([normal(5, 6, seed: 8), .zeros([1, 6])])
        let found = NearestNeighbours.find(6, of: .zeros([1, 6]), in: bank)
        #expect(found.values.abs().max().item == 0 && found.indices.ints == [0, 1, 2, 3, 4, 5])
    }

    @Test func queriesInAnyOrderGetTheSame() {
        let (queries, bank) = (normal(40, 16, seed: 9), normal(500, 16, seed: 10))
        let found = NearestNeighbours.find(6, of: queries, in: bank, by: .euclidean)
        var random = SplitMix64(seed: 11)
        let order = Tensor(random.permutation(40))
        let shuffled = NearestNeighbours.find(6, of: queries.rows(order), in: bank, by: .euclidean)
        #expect(shuffled.indices.ints == found.indices.rows(order).ints)
        // And a shuffled bank gives the same rows under their new numbers.
        let places = random.permutation(500)
        let moved = NearestNeighbours.find(6, of: queries, in: bank.rows(Tensor(places)), by: .euclidean)
        #expect(moved.indices.ints.map { places[$0] } == found.indices.ints)
    }

    /// Scores of few values, so that ties are everywhere: the first of the equal ones, in order, whatever the widths.
    @Test(arguments: [(1, 33), (3, 96), (5, 1000), (20, 5003), (31, 64), (40, 40), (7, 2048)])
    func topScoresAreThoseOfAStableSort(_ count: Int, _ columns: Int) {
        var random = SplitMix64(seed: UInt64(columns))
        for values in [2, 5, 1000] {
            let scores = Tensor((0..<60 * columns).map { _ in Float(random.below(values)) - 3 }, [60, columns])
            // Some rows with excluded columns.
            scores[0..<20].diagonal.fillInPlace(-.infinity)
            let (best, order) = scores.sorted(1, descending: true)
            for found in [topScores(scores, count), topScoresByKeys(scores, count)] {
                #expect(found.columns.ints == order.narrowed(1, from: 0, count: count).ints)
                #expect(found.values.floats == best.narrowed(1, from: 0, count: count).floats)
            }
        }
    }
}
