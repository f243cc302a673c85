public import Torch

/// Rows that are almost the same as another, and the groups that they form: an image saved twice, a burst, a test image that was
/// trained on.
public enum NearDuplicates {
    public struct Pair: Sendable, Equatable {
        /// Rows; of one matrix `first` is the lower.
        public var first: Int
        public var second: Int
        /// Normalised correlation, −1 … 1.
        public var correlation: Double
    }

    /// Candidates: pairs of rows among each other's nearest by cosine, the nearest first.
    /// - Parameters:
    ///   - bank: nil to look among the rows themselves.
    ///   - neighbours: candidates of each row.
    ///   - least: the cosine that a candidate has at least.
    /// - Throws: `FeatureError` `.shape` or `.notFinite`.
    public static func candidates(
        of rows: Tensor, in bank: Tensor? = nil, neighbours: Int = 5, least: Double = 0.9
    ) throws(FeatureError) -> [Pair] {
        try checkFeatures(rows, "the features")
        if let bank { try checkFeatures(bank, "the other features") }
        let found =
            bank.map { NearestNeighbours.find(neighbours, of: rows, in: $0) } ?? NearestNeighbours.findOthers(neighbours, in: rows)
        let (indices, values, width) = (found.indices.ints, found.values.doubles, found.indices.size(1))
        var seen: Set<[Int]> = []
        var pairs: [Pair] = []
        for place in indices.indices where values[place] >= least {
            var (a, b) = (place / width, indices[place])
            if bank == nil, b < a { (a, b) = (b, a) }
            if seen.insert([a, b]).inserted { pairs.append(Pair(first: a, second: b, correlation: values[place])) }
        }
        return pairs.sorted { ($1.correlation, $0.first, $0.second) < ($0.correlation, $1.first, $1.second) }
    }

    /// Pearson's correlation of two pictures' values (normalised cross-correlation without shift). With a constant picture it has no
    /// value: two of the same colour have 1 here, others 0.
    public static func correlation(_ a: [Double], _ b: [Double]) -> Double {
        precondition(a.count == b.count && !a.isEmpty, "a correlation of \(a.count) and \(b.count) values")
        let n = Double(a.count)
        let (meanA, meanB) = (a.reduce(0, +) / n, b.reduce(0, +) / n)
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        if aa == 0 && bb == 0 { return meanA == meanB ? 1 : 0 }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
    }

    /// Rows that pairs connect, each group rising and the groups by their first row.
    public static func groups(_ pairs: [Pair]) -> [[Int]] {
        var parent: [Int: Int] = [:]
        func root(_ row: Int) -> Int {
            var row = row
            while let above = parent[row], above != row { row = above }
            return row
        }
        for pair in pairs {
            let (a, b) = (root(pair.first), root(pair.second))
            (parent[pair.first], parent[pair.second]) = (parent[pair.first] ?? a, parent[pair.second] ?? b)
            parent[max(a, b)] = min(a, b)
            parent[min(a, b)] = min(a, b)
        }
        return Dictionary(grouping: parent.keys, by: root).values.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    }
}
