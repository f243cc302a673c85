import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Against scikit-learn's exact method (generate_tsne.py).
@Suite struct TSNETests {
    private let values = try! ReferenceValues.load("tsne")

    /// scikit-learn searches β in float32, to an entropy within 10⁻⁵.
    @Test func affinitiesAreScikitLearns() {
        let distances = TSNE.squaredDistances(values["features"])
        let found = TSNE.affinities(distances, perplexity: 12.5)
        let tolerance = Tolerance(relative: 2e-3, absolute: 1e-8)
        expectClose(found, values["affinities"], tolerance)
        expectClose(found.sum(), Tensor(scalar: 1.0), .float64)
        #expect(difference(TSNE.affinities(distances, perplexity: 12), values["affinities"], tolerance) != nil)
        // Squared distances, not distances.
        #expect(difference(TSNE.affinities(distances.sqrt(), perplexity: 12.5), values["affinities"], tolerance) != nil)
    }

    @Test func divergenceAndGradientAreScikitLearns() {
        let (places, affinities) = (values["places"], values["affinities"])
        #expect(abs(TSNE.divergence(at: places, affinities) - values["divergence"].item) < 1e-9)
        expectClose(TSNE.gradient(at: places, affinities), values["gradient"], Tolerance(relative: 1e-8, absolute: 1e-12))
        // And the gradient is that of the divergence.
        let step = Tensor.zeros([64, 2], .float64)
        step[5..<6].fillInPlace(1e-5)
        let difference = TSNE.divergence(at: places + step, affinities) - TSNE.divergence(at: places - step, affinities)
        #expect(abs(difference / 2e-5 - TSNE.gradient(at: places, affinities)[5..<6].sum().item) < 1e-7)
    }

    @Test func theDescentEndsAsLowAndKeepsNeighbours() throws {
        var tsne = TSNE()
        tsne.perplexity = 12.5
        for arithmetic in [DataType.float64, .float32] {
            tsne.arithmetic = arithmetic
            let found = try tsne.map(values["features"], from: values["start"]).to(.float64)
            #expect(TSNE.divergence(at: found, values["affinities"]) < 1.05 * values["final"].item)
            #expect(found.mean(0).abs().max().item < 1e-3)
        }
        // From principal components: the nearest neighbour in the plane is of the same group.
        let found = try tsne.map(values["features"])
        let labels = values["labels"].ints
        let nearest = NearestNeighbours.findOthers(1, in: found, by: .euclidean).indices.ints
        #expect(nearest.indices.count { labels[nearest[$0]] == labels[$0] } >= 60)
        #expect(try tsne.map(values["features"]).bytes == found.bytes)
    }

    @Test func awkwardRowsHavePlacesToo() throws {
        var tsne = TSNE()
        (tsne.iterations, tsne.exaggeratedIterations) = (60, 30)
        let same = Tensor.ones([12, 5])
        let twins = Tensor.concatenated([normal(6, 5, seed: 1), normal(6, 5, seed: 1)])
        // Far from the origin, and on a line.
        for matrix in [same, twins, normal(4, 3, seed: 2), normal(20, 8, seed: 3) + 1e3, normal(9, 1, seed: 4)] {
            let found = try tsne.map(matrix)
            #expect(found.shape == [matrix.size(0), 2] && found.isFinite().all().item != 0)
        }
        #expect(message { _ = try tsne.map(normal(3, 5, seed: 1)) }?.description.contains("4 to 4096 rows, not 3") == true)
        tsne.perplexity = 0
        #expect(message { _ = try tsne.map(twins) } != nil)
    }
}
