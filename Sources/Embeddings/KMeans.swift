public import Torch

/// k-means (Lloyd 1982) with k-means++ seeding (Arthur and Vassilvitskii 2007), restarts, and a spherical variant
/// (Dhillon and Modha 2001).
///
///     a_i = argmin_j ‖x_i − c_j‖²,   c_j = mean of the x_i with a_i = j,   until nothing moves
///
/// Products and sums go tile by tile in float32, sums over tiles are in float64. The same seed gives the same clusters on
/// the same device type.
public struct KMeans: Sendable, Equatable {
    public enum Seeding: String, Sendable, Codable {
        /// Each next centroid is a row drawn with probability proportional to its squared distance to the nearest so far:
        /// one pass over the rows per cluster.
        case plusPlus
        /// Different rows at random, for thousands of clusters.
        case rows
    }

    /// k.
    public var clusters: Int
    /// Independent runs, of which the one with the least inertia is kept.
    public var restarts = 1
    /// At most so many updates of the centroids.
    public var iterations = 100
    /// Stops when Σ‖c_j − c_j′‖² ≤ tolerance · mean variance of the dimensions, as scikit-learn.
    public var tolerance = 1e-4
    /// Rows and centroids are brought to unit length, so that cosine decides.
    public var spherical = false
    public var seeding = Seeding.plusPlus
    public var seed: UInt64 = 0

    public init(clusters: Int) { self.clusters = clusters }

    /// - Parameters:
    ///   - matrix: [n, d] floating point, finite, n ≥ clusters.
    ///   - initial: [clusters, d] centroids to start from, in place of seeding and restarts.
    /// - Throws: `FeatureError` `.shape`, `.notFinite`, `.tooFewRows` or `.setting`.
    public func fit(_ matrix: Tensor, initial: Tensor? = nil) throws(FeatureError) -> Clustering {
        guard clusters >= 1, restarts >= 1, iterations >= 1, tolerance >= 0 else {
            throw FeatureError(.setting, "k-means needs clusters, restarts and iterations of at least 1, and no negative tolerance")
        }
        try checkFeatures(matrix, "the features to cluster")
        guard matrix.size(0) >= clusters else {
            throw FeatureError(.tooFewRows, "\(matrix.size(0)) rows cannot be put into \(clusters) clusters: ask for fewer clusters")
        }
        if let initial, initial.shape != [clusters, matrix.size(1)] {
            throw FeatureError(.width, "initial centroids must be [\(clusters), \(matrix.size(1))], not \(initial.summary)")
        }
        return withoutGradients {
            let points = ClusterPoints(matrix, spherical: spherical)
            var random = SplitMix64(seed: seed)
            var best: Clustering?
            for _ in 0..<(initial == nil ? restarts : 1) {
                let start = initial.map { points.prepared($0.detached().to(matrix.device)) } ?? points.seeds(clusters, seeding, &random)
                let found = run(points, from: start)
                if best == nil || found.inertia < best!.inertia { best = found }
            }
            return best!
        }
    }

    private func run(_ points: ClusterPoints, from start: Tensor) -> Clustering {
        var centroids = start
        var before: [Int] = []
        var settled = false
        var step = 0
        while step < iterations, !settled {
            step += 1
            let nearest = points.assign(to: centroids)
            var assignments: [Int] = nearest.values()
            // Nothing moves any more: these centroids are the means of these clusters already.
            if assignments == before {
                settled = true
                break
            }
            before = assignments
            fillEmpty(&assignments) { points.distances(to: centroids, nearest) }
            let moved = points.means(of: assignments, clusters, otherwise: centroids)
            settled = (moved - centroids).squared().sum().item <= tolerance * points.meanVariance
            centroids = moved
        }
        let nearest = points.assign(to: centroids)
        let sizes = nearest.to(.cpu).counts(clusters).ints
        return Clustering(
            centroids: points.restored(centroids), assignments: nearest, sizes: sizes,
            inertia: points.distances(to: centroids, nearest).widened.sum().item, iterations: step, converged: settled,
            spherical: spherical)
    }

    /// Gives each empty cluster the row that is farthest from its centroid, if there is one away from it.
    private func fillEmpty(_ assignments: inout [Int], distances: () -> Tensor) {
        var sizes = [Int](repeating: 0, count: clusters)
        for cluster in assignments { sizes[cluster] += 1 }
        var empty = sizes.indices.filter { sizes[$0] == 0 }[...]
        guard !empty.isEmpty else { return }
        let (values, order) = distances().sorted(0, descending: true)
        for (distance, row) in zip(values.floats, order.ints) {
            guard let cluster = empty.first, distance > 0 else { return }
            guard sizes[assignments[row]] > 1 else { continue }
            sizes[assignments[row]] -= 1
            sizes[cluster] = 1
            assignments[row] = cluster
            empty.removeFirst()
        }
    }
}

/// What k-means found.
public struct Clustering {
    /// [k, d] float32.
    public let centroids: Tensor
    /// [n] int64: each row's cluster; the lower one when two are equally near.
    public let assignments: Tensor
    /// Rows per cluster; 0 only when there are fewer different rows than clusters.
    public let sizes: [Int]
    /// Σ ‖x_i − c_a(i)‖², of unit-length rows when spherical.
    public let inertia: Double
    /// Updates of the centroids in the run that was kept.
    public let iterations: Int
    /// Whether it stopped because nothing moved any more.
    public let converged: Bool
    public let spherical: Bool

    /// The nearest centroid of each row of [m, d]: [m] int64.
    public func assign(_ matrix: Tensor) -> Tensor {
        precondition(
            matrix.rank == 2 && matrix.size(1) == centroids.size(1), "\(matrix.summary) for centroids of \(centroids.summary)")
        return withoutGradients {
            let points = ClusterPoints(matrix, spherical: spherical, centredOn: centroids.mean(0).to(matrix.device))
            return points.assign(to: points.prepared(centroids.to(matrix.device)))
        }
    }
}
