import Foundation
import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Against umap-learn (generate_umap.py).
@Suite struct UMAPTests {
    private let values = try! ReferenceValues.load("umap")

    private func dense(_ graph: [UMAP.Edge], _ count: Int) -> [Double] {
        var weights = [Double](repeating: 0, count: count * count)
        for edge in graph { weights[edge.from * count + edge.to] = edge.weight }
        return weights
    }

    /// Over all pairs, in float64.
    private func crossEntropy(_ places: Tensor, _ weights: [Double]) -> Double {
        let (umap, places, count) = (UMAP(), places.doubles, places.size(0))
        var sum = 0.0
        for i in 0..<count {
            for j in i + 1..<count {
                let (dx, dy) = (places[2 * i] - places[2 * j], places[2 * i + 1] - places[2 * j + 1])
                let v = min(max(1 / (1 + umap.a * pow(dx * dx + dy * dy, umap.b)), 1e-12), 1 - 1e-12)
                let w = min(max(weights[i * count + j], 1e-12), 1 - 1e-12)
                sum += w * log(w / v) + (1 - w) * log((1 - w) / (1 - v))
            }
        }
        return sum
    }

    /// umap-learn computes it in float32, and halves to within 10⁻⁵ of log₂ k. Two rows of the features are equal.
    @Test func theGraphAndTheCurveAreUMAPLearns() {
        let graph = UMAP.graph(values["features"], neighbours: 15)
        let found = Tensor(dense(graph, 96)).reshaped([96, 96])
        let tolerance = Tolerance(relative: 2e-4, absolute: 2e-5)
        expectClose(found, values["graph"], tolerance)
        #expect(difference(found, Tensor(dense(UMAP.graph(values["features"], neighbours: 14), 96)).reshaped([96, 96]), tolerance) != nil)
        #expect(found.bytes == found.t.contiguous().bytes)
        expectClose(Tensor([UMAP().a, UMAP().b]), values["curve"], Tolerance(relative: 1e-8, absolute: 0))
    }

    /// The steps are along the gradients of log v and log(1 − v), the latter but for the 0.001.
    @Test func stepsAreGradients() {
        let umap = UMAP()
        func v(_ x: Double) -> Double { 1 / (1 + umap.a * pow(x * x, umap.b)) }
        for x in [0.3, 1.1, 4.0] {
            let step = 1e-6
            let pull = (log(v(x + step)) - log(v(x - step))) / (2 * step)
            let push = (log(1 - v(x + step)) - log(1 - v(x - step))) / (2 * step)
            #expect(abs(umap.attraction(x * x) * x - pull) < 1e-6 * abs(pull))
            #expect(abs(umap.repulsion(x * x) * x * (0.001 + x * x) / (x * x) - push) < 1e-6 * abs(push))
        }
        #expect(umap.attraction(0) == 0 && umap.repulsion(0) == 0)
    }

    /// umap-learn's own descents from the same start, of five seeds, end between 398 and 449, from 1,010.
    @Test func theDescentEndsAsLowAndKeepsNeighbours() throws {
        let (graph, labels, ends) = (values["graph"].doubles, values["labels"].ints, values["ends"].doubles)
        let found = try (0..<5).map { seed in
            var umap = UMAP()
            umap.seed = UInt64(seed)
            return crossEntropy(try umap.map(values["features"], from: values["start"]), graph)
        }
        let (mean, theirs) = (found.reduce(0, +) / 5, ends.reduce(0, +) / 5)
        #expect(mean < 1.05 * theirs, "\(found) against umap-learn's \(ends)")
        #expect(crossEntropy(values["start"], graph) > 2 * theirs)

        // From principal components: the nearest neighbour in the plane is of the same group.
        let places = try UMAP().map(values["features"])
        #expect(places.shape == [96, 2] && places.mean(0).abs().max().item < 1e-9)
        let nearest = NearestNeighbours.findOthers(1, in: places, by: .euclidean).indices.ints
        #expect(nearest.indices.count { labels[nearest[$0]] == labels[$0] } >= 90)
        #expect(try UMAP().map(values["features"]).bytes == places.bytes)
    }

    @Test func awkwardRowsHavePlacesToo() throws {
        var umap = UMAP()
        umap.epochs = 40
        let same = Tensor.ones([12, 5])
        let twins = Tensor.concatenated([normal(6, 5, seed: 1), normal(6, 5, seed: 1)])
        // Far from the origin, and on a line.
        for matrix in [same, twins, normal(4, 3, seed: 2), normal(20, 8, seed: 3) + 1e3, normal(9, 1, seed: 4)] {
            let found = try umap.map(matrix)
            #expect(found.shape == [matrix.size(0), 2] && found.isFinite().all().item != 0)
            // No two rows lie on each other.
            let nearest = NearestNeighbours.findOthers(1, in: found, by: .euclidean).values
            #expect(nearest.min().item > 0)
        }
        #expect(message { _ = try umap.map(normal(3, 5, seed: 1)) }?.description.contains("at least 4 rows, not 3") == true)
        umap.neighbours = 1
        #expect(message { _ = try umap.map(twins) } != nil)
    }
}
