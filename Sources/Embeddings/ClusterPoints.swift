internal import Torch

/// The rows that k-means works on, prepared block by block: moved to the mean of all rows (so that distances keep their
/// digits), or brought to unit length.
struct ClusterPoints {
    private let matrix: Tensor
    private let spherical: Bool
    private let shift: Tensor?
    /// Mean over the dimensions of the rows' variance (n in the denominator).
    let meanVariance: Double

    init(_ matrix: Tensor, spherical: Bool) {
        self.matrix = matrix.detached()
        self.spherical = spherical
        var moments = Moments(width: matrix.size(1), .diagonal, on: matrix.device)
        for range in matrix.rowBlocks() {
            let block = self.matrix[range].to(.float32)
            moments.add(spherical ? block.normalized() : block)
        }
        shift = spherical ? nil : moments.mean.to(.float32).to(matrix.device)
        meanVariance = moments.variances(correction: 0).mean().item
    }

    /// For assignments only.
    init(_ matrix: Tensor, spherical: Bool, centredOn centre: Tensor) {
        self.matrix = matrix.detached()
        self.spherical = spherical
        shift = spherical ? nil : centre
        meanVariance = 0
    }

    func prepared(_ rows: Tensor) -> Tensor {
        let values = rows.to(.float32)
        return shift.map { values - $0 } ?? values.normalized()
    }

    /// Centroids back in the space of the rows.
    func restored(_ centroids: Tensor) -> Tensor { shift.map { centroids + $0 } ?? centroids }

    /// The nearest centroid of each row, the lower one among equals: [n] int64.
    func assign(to centroids: Tensor) -> Tensor {
        let norms = centroids.squared().sum(1)
        let doubled = (centroids * -2).t
        let widest = Swift.max(matrix.size(1), centroids.size(0))
        return .concatenated(
            matrix.rowBlocks(elements: (1 << 22) * matrix.size(1) / widest).map { range in
                let scores = prepared(matrix[range]).matmul(doubled)
                scores.addInPlace(norms)
                return scores.argmin(1)
            })
    }

    /// Squared distances of the rows to their centroids: [n] float32. From the differences, because the expanded square
    /// cancels near a centroid.
    func distances(to centroids: Tensor, _ assignments: Tensor) -> Tensor {
        .concatenated(
            matrix.rowBlocks().map { range in
                (prepared(matrix[range]) - centroids.rows(assignments[range])).squared().sum(1)
            })
    }

    /// Means of the clusters, of unit length when spherical; `otherwise`'s centroid for an empty one.
    func means(of assignments: [Int], _ clusters: Int, otherwise: Tensor) -> Tensor {
        let place = matrix.device == .mps ? Device.cpu : matrix.device
        let labels = Tensor(assignments).to(place)
        var sums = Tensor.zeros([clusters, matrix.size(1)], .float64, on: place)
        let none = Tensor.zeros([clusters, matrix.size(1)], on: matrix.device)
        // float32 within a block (much faster than float64), float64 over blocks.
        for range in matrix.rowBlocks() {
            sums = sums + none.indexAdded(0, labels[range].to(matrix.device), prepared(matrix[range])).widened
        }
        let sizes = labels.counts(clusters).to(.float64).unsqueezed(1)
        let means = (sums / sizes.clamped(1)).to(.float32).to(matrix.device)
        let directed = spherical ? means.normalized() : means
        return otherwise.where(sizes.equal(0).to(matrix.device), otherwise: directed)
    }

    /// Rows to start from, prepared: [clusters, d].
    func seeds(_ clusters: Int, _ seeding: KMeans.Seeding, _ random: inout SplitMix64) -> Tensor {
        let count = matrix.size(0)
        let chosen =
            switch seeding {
            case .rows: random.distinct(clusters, below: count)
            case .plusPlus: plusPlus(clusters, &random)
            }
        return prepared(matrix.rows(Tensor(chosen).to(matrix.device)))
    }

    private func plusPlus(_ clusters: Int, _ random: inout SplitMix64) -> [Int] {
        let count = matrix.size(0)
        var chosen = [random.below(count)]
        var nearest: Tensor?
        while chosen.count < clusters {
            let latest = prepared(matrix[chosen.last!..<chosen.last! + 1])
            let squared = Tensor.concatenated(matrix.rowBlocks().map { (prepared(matrix[$0]) - latest).squared().sum(1) })
            nearest = nearest.map { $0.minimum(squared) } ?? squared
            chosen.append(pick(nearest!.floats, notOneOf: chosen, &random))
        }
        return chosen
    }

    /// A row with probability proportional to its weight; when all weights are 0 (only duplicates are left) any row that
    /// was not chosen.
    private func pick(_ weights: [Float], notOneOf chosen: [Int], _ random: inout SplitMix64) -> Int {
        let total = weights.reduce(0.0) { $0 + Double($1) }
        guard total > 0 else {
            let taken = Set(chosen)
            let free = weights.indices.filter { !taken.contains($0) }
            return free[random.below(free.count)]
        }
        let target = random.uniform() * total
        var sum = 0.0
        var last = 0
        for (row, weight) in weights.enumerated() where weight > 0 {
            sum += Double(weight)
            last = row
            if sum > target { return row }
        }
        return last
    }
}
