import Embeddings
import Testing
import Torch

@Suite struct PCATests {
    @Test func agreesWithScikitLearn() throws {
        let bank = try References.tensor("bank")
        let queries = try References.tensor("queries")
        let pca = try PCA.fit(bank, count: 11)
        let r = try References.tensors(
            "pca.mean", "pca.components", "pca.variances", "pca.ratios", "pca.coordinates", "pca.whitened")
        #expect(largestDifference(pca.mean, r[0]) < 1e-6)
        // scikit-learn's signs may follow another rule.
        let sign = (pca.components * r[1]).sum(1)
        #expect(largestDifference(sign.abs(), sign.onesLike()) < 1e-6)
        #expect(largestDifference(Tensor(pca.variances), r[2]) < 1e-6 * r[2].max().item)
        #expect(largestDifference(Tensor(pca.varianceRatios), r[3]) < 1e-6)
        #expect(largestDifference(pca.transform(queries).to(.float64) * sign, r[4]) < 1e-4)
        #expect(largestDifference(pca.transform(queries, whitened: true).to(.float64) * sign, r[5]) < 1e-4)
    }

    @Test func signsDoNotDependOnTheSolver() throws {
        let pca = try PCA.fit(normal(100, 9, seed: 30))
        let largest = pca.components.abs().argmax(1).unsqueezed(1)
        #expect(pca.components.gathered(1, largest).min().item > 0)
    }

    @Test func whiteningMakesUnitCovariance() throws {
        let matrix = normal(400, 10, seed: 31).matmul(normal(10, 10, seed: 32))
        let white = try PCA.fit(matrix).transform(matrix, whitened: true)
        #expect(largestDifference(Moments(of: white).covariance(), Tensor.eye(10, .float64)) < 1e-4)
        let plain = Moments(of: try PCA.fit(matrix).transform(matrix)).covariance()
        #expect(plain.withDiagonal(0).abs().max().item < 1e-3)
    }

    @Test func fewerRowsThanDimensionsAndConstantColumns() throws {
        let matrix = Tensor.concatenated([normal(6, 20, seed: 33), Tensor.full([6, 3], 5)], dimension: 1)
        let pca = try PCA.fit(matrix)
        #expect(pca.variances.prefix(5).allSatisfy { $0 > 1e-3 } && pca.variances.dropFirst(5).allSatisfy { $0 < 1e-9 })
        let white = pca.transform(matrix, whitened: true)
        #expect(white.isFinite().all().item == 1)
        #expect(white.narrowed(1, from: 5, count: 18).abs().max().item == 0)
        #expect(largestDifference(pca.reconstruct(pca.transform(matrix)), matrix) < 1e-4)
        // All rows the same: no variance at all.
        let still = try PCA.fit(.ones([5, 4]), count: 2)
        #expect(still.varianceRatios == [0, 0] && still.transform(.ones([5, 4]), whitened: true).abs().max().item == 0)
    }

    @Test func planeMap() throws {
        #expect(try PCA.map(normal(30, 7, seed: 34)).shape == [30, 2])
        let line = try PCA.map(normal(30, 1, seed: 35))
        #expect(line.shape == [30, 2] && line.selected(1, 1).abs().max().item == 0)
        #expect(message { _ = try PCA.map(normal(1, 4, seed: 36)) }?.kind == .tooFewRows)
        #expect(message { _ = try PCA.fit(normal(9, 4, seed: 36), count: 5) }?.kind == .setting)
        #expect(message { _ = try PCA.fit(.full([9, 4], .infinity)) }?.kind == .notFinite)
    }

    @Test func momentsDoNotDependOnTheBlocks() {
        // Far from the origin, where the textbook formula in float32 loses everything.
        let matrix = normal(900, 6, seed: 37) + 1000
        let whole = Moments(of: matrix)
        var parts = Moments(width: 6)
        for (start, end) in [(0, 1), (1, 350), (350, 350), (350, 900)] { parts.add(matrix[start..<end]) }
        let expected = (matrix.to(.float64) - matrix.to(.float64).mean(0))
        #expect(parts.count == 900)
        #expect(largestDifference(parts.scatter, expected.t.matmul(expected)) < 1e-6)
        #expect(largestDifference(parts.scatter, whole.scatter) < 1e-6)
        #expect(largestDifference(Moments(of: matrix, .diagonal).variances(), matrix.to(.float64).variance(0)) < 1e-8)
    }
}
