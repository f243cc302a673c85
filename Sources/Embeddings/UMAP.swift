internal import Foundation
public import Torch

/// Uniform manifold approximation and projection (McInnes, Healy and Melville 2018, arXiv:1802.03426): the fuzzy graph of nearest
/// neighbours, and places in the plane whose own graph has a low cross-entropy to it.
///
///     w_{j|i} = exp(−max(0, ‖x_i − x_j‖ − ρ_i) / σ_i),  Σ_j w_{j|i} = log₂ k;   w_ij = w_{j|i} + w_{i|j} − w_{j|i} w_{i|j}
///     v_ij = 1 / (1 + a ‖y_i − y_j‖^2b);   min Σ w log(w / v) + (1 − w) log((1 − w) / (1 − v))
///
/// Descent edge by edge with negative sampling, as umap-learn has it. It deviates in the start, the first two principal components
/// instead of the graph's Laplacian's (umap-learn's `init="pca"`), and in that the same rows always give the same map.
public struct UMAP: Sendable, Equatable {
    /// k, with the row itself among them; no more than there are rows.
    public var neighbours = 15
    /// Each edge is drawn in every epoch that its weight has a share of.
    public var epochs = 500
    /// Rows that are drawn to be repelled for each edge.
    public var negatives = 5
    public var learningRate = 1.0
    /// a and b, by least squares to a curve that is 1 up to a distance of 0.1 and then falls by e each 1 (umap-learn's `min_dist`
    /// and `spread`).
    public var a = 1.576943460405378
    public var b = 0.8950608781227859
    public var seed: UInt64 = 0

    public init() {}

    /// - Parameters:
    ///   - matrix: [n, d] finite, n ≥ 4.
    ///   - start: [n, 2]; nil for the principal components, to ±10.
    /// - Returns: [n, 2] float64 on the CPU, centred.
    /// - Throws: `FeatureError` `.shape`, `.notFinite`, `.tooFewRows` or `.setting`.
    public func map(_ matrix: Tensor, from start: Tensor? = nil) throws(FeatureError) -> Tensor {
        guard neighbours >= 2, epochs >= 1, negatives >= 0, learningRate > 0, a > 0, b > 0 else {
            throw FeatureError(.setting, "UMAP needs 2 neighbours, an epoch, and a learning rate, a and b above 0")
        }
        try checkFeatures(matrix, "the features")
        let count = matrix.size(0)
        guard count >= 4 else { throw FeatureError(.tooFewRows, "UMAP maps at least 4 rows, not \(count)") }
        let initial: Tensor
        if let start { initial = start } else { initial = try PCA.map(matrix) }
        let graph = Self.graph(matrix, neighbours: min(neighbours, count))
        return withoutGradients {
            var places = initial.detached().to(.cpu).to(.float64).contiguous().doubles
            if start == nil { scatter(&places) }
            descend(&places, along: graph)
            let found = Tensor(places).reshaped([count, 2])
            return found - found.mean(0, keep: true)
        }
    }

    /// An edge of the fuzzy graph, which has both directions of each.
    struct Edge: Equatable {
        var from: Int
        var to: Int
        var weight: Double
    }

    /// w, by rows, without zeros.
    static func graph(_ matrix: Tensor, neighbours: Int) -> [Edge] {
        let count = matrix.size(0)
        let found = NearestNeighbours.findOthers(neighbours - 1, in: matrix.to(.cpu), by: .euclidean)
        let (others, distances) = (found.indices.ints, found.values.to(.float64).contiguous().doubles)
        let width = others.count / count
        // Of a global scale too: of equal rows σ would be 0.
        let least = 1e-3 * distances.reduce(0, +) / Double(count * (width + 1))
        var directed: [Int: Double] = [:]
        for row in 0..<count {
            let own = Array(distances[row * width..<(row + 1) * width])
            let nearest = own.first { $0 > 0 } ?? 0
            let mean = own.reduce(0, +) / Double(width + 1)
            let scale = max(scale(own, nearest, sum: log2(Double(width + 1))), nearest > 0 ? 1e-3 * mean : least)
            for (place, distance) in own.enumerated() {
                let beyond = distance - nearest
                directed[row * count + others[row * width + place]] = beyond <= 0 || scale == 0 ? 1 : exp(-beyond / scale)
            }
        }
        var weights: [Int: Double] = [:]
        for (key, weight) in directed {
            let turned = key % count * count + key / count
            let other = directed[turned] ?? 0
            weights[key] = weight + other - weight * other
            weights[turned] = weights[key]
        }
        return weights.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
            Edge(from: $0.key / count, to: $0.key % count, weight: $0.value)
        }
    }

    /// σ, by halving.
    private static func scale(_ distances: [Double], _ nearest: Double, sum wanted: Double) -> Double {
        var (low, high, middle) = (0.0, Double.infinity, 1.0)
        for _ in 0..<64 {
            let sum = distances.reduce(0) { $0 + ($1 > nearest ? exp(-($1 - nearest) / middle) : 1) }
            if abs(sum - wanted) < 1e-5 { break }
            if sum > wanted {
                high = middle
                middle = (low + high) / 2
            } else {
                low = middle
                middle = high == .infinity ? middle * 2 : (low + high) / 2
            }
        }
        return middle
    }

    /// To ±10, with what tells equal rows apart.
    private func scatter(_ places: inout [Double]) {
        let largest = places.reduce(0) { max($0, abs($1)) }
        var random = SplitMix64(seed: seed &+ 1)
        for index in places.indices {
            places[index] = (largest > 0 ? places[index] * 10 / largest : 0) + (random.uniform() - 0.5) * 2e-4
        }
    }

    /// The factor of y_i − y_j in the gradient of log v, of the squared distance.
    func attraction(_ squared: Double) -> Double {
        guard squared > 0 else { return 0 }
        let power = pow(squared, b)
        return -2 * a * b * power / squared / (a * power + 1)
    }

    /// That of log(1 − v), with umap-learn's 0.001 for what would be infinite.
    func repulsion(_ squared: Double) -> Double {
        squared > 0 ? 2 * b / ((0.001 + squared) * (a * pow(squared, b) + 1)) : 0
    }

    private func descend(_ places: inout [Double], along graph: [Edge]) {
        let largest = graph.reduce(0) { max($0, $1.weight) }
        // Those that would not be drawn once.
        let edges = graph.filter { $0.weight >= largest / Double(epochs) }
        let periods = edges.map { largest / $0.weight }
        let negativePeriods = periods.map { $0 / Double(max(negatives, 1)) }
        var (due, negativeDue) = (periods, negativePeriods)
        var random = SplitMix64(seed: seed)
        let count = places.count / 2
        places.withUnsafeMutableBufferPointer { places in
            for epoch in 0..<epochs {
                let rate = learningRate * (1 - Double(epoch) / Double(epochs))
                for index in edges.indices where due[index] <= Double(epoch) {
                    let (from, to) = (2 * edges[index].from, 2 * edges[index].to)
                    var (dx, dy) = (places[from] - places[to], places[from + 1] - places[to + 1])
                    let pull = attraction(dx * dx + dy * dy)
                    let (mx, my) = (rate * clipped(pull * dx), rate * clipped(pull * dy))
                    places[from] += mx
                    places[from + 1] += my
                    places[to] -= mx
                    places[to + 1] -= my
                    due[index] += periods[index]
                    guard negatives > 0 else { continue }
                    let draws = Int((Double(epoch) - negativeDue[index]) / negativePeriods[index])
                    for _ in 0..<max(draws, 0) {
                        let other = 2 * random.below(count)
                        guard other != from else { continue }
                        (dx, dy) = (places[from] - places[other], places[from + 1] - places[other + 1])
                        let push = repulsion(dx * dx + dy * dy)
                        places[from] += rate * clipped(push * dx)
                        places[from + 1] += rate * clipped(push * dy)
                    }
                    negativeDue[index] += Double(max(draws, 0)) * negativePeriods[index]
                }
            }
        }
    }

    private func clipped(_ step: Double) -> Double { min(max(step, -4), 4) }
}
