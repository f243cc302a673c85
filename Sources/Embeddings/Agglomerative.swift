public import Torch

/// Agglomerative clustering: every row begins as a cluster of its own, and the two nearest are merged until `clusters` are left
/// (Ward 1963; updates of Lance and Williams 1967), by the nearest-neighbour chain (Murtagh 1983) in O(n²) time and memory.
///
///     ward:     d²(i ∪ j, k) = [(n_i + n_k) d²(i, k) + (n_j + n_k) d²(j, k) − n_k d²(i, j)] / (n_i + n_j + n_k)
///     average:  d(i ∪ j, k) = [n_i d(i, k) + n_j d(j, k)] / (n_i + n_j)
///     complete: d(i ∪ j, k) = max(d(i, k), d(j, k))
///
/// d is Euclidean, between rows of unit length when spherical.
public struct Agglomerative: Sendable, Equatable {
    public enum Linkage: String, Sendable, Codable, CaseIterable {
        case ward, average, complete
    }

    /// k.
    public var clusters: Int
    public var linkage = Linkage.ward
    public var spherical = true
    /// Memory grows with the square of the rows.
    public static let mostRows = 8192

    public init(clusters: Int) { self.clusters = clusters }

    /// - Parameter matrix: [n, d] finite, clusters ≤ n ≤ `mostRows`.
    /// - Returns: n clusters, numbered by their first rows.
    /// - Throws: `FeatureError` `.shape`, `.notFinite`, `.tooFewRows` or `.setting`.
    public func fit(_ matrix: Tensor) throws(FeatureError) -> [Int] {
        try checkFeatures(matrix, "the features to cluster")
        let count = matrix.size(0)
        guard clusters >= 1, count <= Self.mostRows else {
            throw FeatureError(
                .setting, "agglomerative clustering needs at least 1 cluster and at most \(Self.mostRows) rows, not \(count)")
        }
        guard count >= clusters else {
            throw FeatureError(.tooFewRows, "\(count) rows cannot be put into \(clusters) clusters: ask for fewer clusters")
        }
        var merges = merges(distances(matrix), count)
        // The chain finds merges in another order than that of their heights. A stable sort: of equal heights the first found.
        merges = merges.enumerated().sorted { ($0.element.height, $0.offset) < ($1.element.height, $1.offset) }.map(\.element)
        var parent = Array(0..<count)
        func root(_ row: Int) -> Int {
            var row = row
            while parent[row] != row {
                parent[row] = parent[parent[row]]
                row = parent[row]
            }
            return row
        }
        for merge in merges.prefix(count - clusters) {
            let (a, b) = (root(merge.a), root(merge.b))
            parent[max(a, b)] = min(a, b)
        }
        var numbers: [Int: Int] = [:]
        return (0..<count).map { row in
            let place = root(row)
            if let number = numbers[place] { return number }
            numbers[place] = numbers.count
            return numbers.count - 1
        }
    }

    /// [n · n] Euclidean distances, squared for Ward.
    private func distances(_ matrix: Tensor) -> [Double] {
        withoutGradients {
            let wide = matrix.detached().widened.to(.cpu)
            let rows = spherical ? wide.normalized() : wide - wide.mean(0)
            let norms = rows.squared().sum(1, keep: true)
            let squared = (norms + norms.t - rows.matmul(rows.t) * 2).clamped(0)
            return (linkage == .ward ? squared : squared.sqrt()).doubles
        }
    }

    private struct Merge {
        /// A row of each side.
        var a: Int
        var b: Int
        var height: Double
    }

    private func merges(_ start: [Double], _ count: Int) -> [Merge] {
        var distance = start
        var size = [Double](repeating: 1, count: count)
        var alive = [Bool](repeating: true, count: count)
        var chain: [Int] = []
        var merges: [Merge] = []
        distance.withUnsafeMutableBufferPointer { distance in
            while merges.count < count - 1 {
                if chain.isEmpty { chain.append(alive.firstIndex(of: true)!) }
                let current = chain[chain.count - 1]
                let before = chain.count > 1 ? chain[chain.count - 2] : -1
                // Of equally near clusters the one before, without which the chain could go round for ever.
                var (nearest, least) = (before, before >= 0 ? distance[current * count + before] : .infinity)
                for other in 0..<count where alive[other] && other != current && distance[current * count + other] < least {
                    (nearest, least) = (other, distance[current * count + other])
                }
                guard nearest == before else {
                    chain.append(nearest)
                    continue
                }
                chain.removeLast(2)
                let (i, j) = (min(current, before), max(current, before))
                merges.append(Merge(a: i, b: j, height: least))
                for k in 0..<count where alive[k] && k != i && k != j {
                    let (di, dj) = (distance[i * count + k], distance[j * count + k])
                    let merged: Double
                    switch linkage {
                    case .ward:
                        merged =
                            ((size[i] + size[k]) * di + (size[j] + size[k]) * dj - size[k] * least) / (size[i] + size[j] + size[k])
                    case .average: merged = (size[i] * di + size[j] * dj) / (size[i] + size[j])
                    case .complete: merged = max(di, dj)
                    }
                    distance[i * count + k] = merged
                    distance[k * count + i] = merged
                }
                alive[j] = false
                size[i] += size[j]
            }
        }
        return merges
    }
}
