import Embeddings
import Foundation
import Testing
import Torch

@Suite struct HealthTests {
    @Test func agreesWithNumPy() throws {
        let bank = try References.tensor("bank")
        let expected = try References.tensor("rankme").doubles
        #expect(abs(try EffectiveRank.rankMe(bank) - expected[0]) < 1e-4 * expected[0])
        #expect(abs(try EffectiveRank.rankMe(References.tensor("lowrank")) - expected[1]) < 1e-3 * expected[1])
        #expect(abs(try EffectiveRank.rankMe(bank[0..<25]) - expected[2]) < 1e-4 * expected[2])
        let singular = try References.tensor("singular")
        #expect(largestDifference(Tensor(EffectiveRank.singularValues(bank)), singular) < 1e-8 * singular.max().item)

        let uniformity = try References.tensor("uniformity").doubles
        #expect(abs(try Sphere.uniformity(bank) - uniformity[0]) < 1e-5)
        #expect(abs(try Sphere.uniformity(bank, t: 0.5) - uniformity[1]) < 1e-5)
        let alignment = try References.tensor("alignment").item
        #expect(abs(try Sphere.alignment(bank[0..<90], References.tensor("positives")) - alignment) < 1e-6)

        let health = try RepresentationHealth.measure(bank[0..<90], positives: References.tensor("positives"))
        #expect(health.alignment.map { abs($0 - alignment) < 1e-6 } == true)
        let whole = try RepresentationHealth.measure(bank)
        let correlation = try References.tensor("correlation").doubles
        #expect(abs(whole.correlation.meanAbsolute - correlation[0]) < 1e-6)
        #expect(abs(whole.correlation.largestAbsolute - correlation[1]) < 1e-6)
        #expect(abs(whole.normalizedDeviation - (try References.tensor("deviation").item)) < 1e-6)
        #expect(whole.uniformity == (try Sphere.uniformity(bank)) && whole.alignment == nil)
    }

    @Test func entropies() throws {
        let targets = try References.tensor("targets")
        #expect(largestDifference(Entropy.ofRows(targets), try References.tensor("targets.entropies")) < 1e-5)
        let use = try TargetUse(targets)
        let expected = try References.tensor("targets.use").doubles
        #expect(abs(use.meanEntropy - expected[0]) < 1e-5 && abs(use.entropyOfMean - expected[1]) < 1e-9)
        Runtime.prepare()  // denormal numbers are zero from here on
        #expect(Entropy.ofRows(Tensor.eye(4)).abs().max().item < 1e-6)
        #expect(abs(Entropy.of([0.25, 0.25, 0.25, 0.25]) - log(4)) < 1e-12)
        #expect(Entropy.of(counts: [0, 0]) == 0 && abs(Entropy.of(counts: [3, 3, 0]) - log(2)) < 1e-12)
    }

    /// RankMe of r orthogonal directions of equal strength is r.
    @Test(arguments: [1, 3, 17])
    func rankMeOfARankIsTheRank(_ rank: Int) throws {
        let repeated = Tensor.eye(rank).rows(Tensor((0..<rank * 20).map { $0 % rank }))
        // Rotated into 64 dimensions.
        let basis = normal(64, rank, seed: 40)
        let gram = basis.t.matmul(basis).to(.float64)
        let orthonormal = basis.to(.float64).matmul(gram.cholesky().t.solveTriangular(.eye(rank, .float64), upper: true))
        let matrix = repeated.matmul(orthonormal.t.to(.float32))
        // ε adds 64 · 10⁻⁷ · |log 10⁻⁷| to the entropy.
        #expect(abs(try EffectiveRank.rankMe(matrix) / Double(rank) - 1) < 1e-3)
    }

    @Test func rankMeDoesNotDependOnOrderOrScale() throws {
        let matrix = normal(200, 30, seed: 41)
        var random = SplitMix64(seed: 42)
        let shuffled = matrix.rows(Tensor(random.permutation(200))) * 37
        #expect(abs(try EffectiveRank.rankMe(matrix) - EffectiveRank.rankMe(shuffled)) < 1e-4)
        #expect(try EffectiveRank.rankMe(.zeros([5, 4])) == 0)
        #expect(abs(try EffectiveRank.rankMe(.ones([50, 8])) - 1) < 1e-4)
    }

    /// On the unit sphere of dimension d, x·y of independent points has mean 0 and variance 1/d: for large d, uniformity
    /// is −2t + (2t)²/2d + O(1/d²).
    @Test func uniformityOfTheUniformSphere() throws {
        let d = 256.0
        let measured = try Sphere.uniformity(normal(3000, 256, seed: 43))
        #expect(abs(measured - (-4 + 16 / (2 * d))) < 2e-3)
        #expect(abs(try Sphere.uniformity(.ones([3000, 16]))) < 1e-5)
        // Two opposite points: ‖x − y‖² = 4.
        #expect(abs(try Sphere.uniformity(Tensor([1, 0, -1, 0] as [Float], [2, 2])) + 8) < 1e-5)
    }

    @Test func alignmentOfEqualAndOppositeViews() throws {
        let x = normal(100, 16, seed: 44)
        #expect(try Sphere.alignment(x, x * 3) < 1e-10)
        #expect(abs(try Sphere.alignment(x, -x) - 4) < 1e-5)
        #expect(message { _ = try Sphere.alignment(x, x[0..<50]) }?.kind == .width)
    }

    @Test func deviationOfIsotropicRowsIsOneOverRootD() throws {
        let health = try RepresentationHealth.measure(normal(4000, 64, seed: 45))
        #expect(abs(health.deviationRatio - 1) < 0.01)
        let constant = try RepresentationHealth.measure(Tensor.full([100, 64], 3) + normal(100, 64, seed: 46) * 1e-4)
        #expect(constant.deviationRatio < 1e-3)
    }

    @Test func correlationLeavesConstantsOut() throws {
        let base = normal(300, 3, seed: 47)
        let column = base.narrowed(1, from: 0, count: 1)
        let matrix = Tensor.concatenated([base, column * -2 + 1, Tensor.full([300, 2], 0.1)], dimension: 1)
        let health = try RepresentationHealth.measure(matrix)
        #expect(health.correlation.constantDimensions == 2)
        #expect(abs(health.correlation.largestAbsolute - 1) < 1e-6)
        #expect(health.correlation.meanAbsolute > 1.0 / 6 && health.correlation.meanAbsolute < 0.35)
    }

    @Test func damagedRowsAreCountedAndLeftOut() throws {
        let matrix = normal(100, 8, seed: 48)
        let clean = try RepresentationHealth.measure(matrix[2..<100])
        matrix.indexCopyInPlace(0, Tensor([0, 1]), Tensor([.nan, .infinity] as [Float], [2, 1]).expanded([2, 8]))
        var damaged = try RepresentationHealth.measure(matrix)
        #expect(damaged.nonFiniteRows == 2 && damaged.rows == 100)
        damaged.nonFiniteRows = 0
        damaged.rows = 98
        #expect(damaged == clean)
        let nothing = try RepresentationHealth.measure(.full([4, 3], .nan))
        #expect(nothing.nonFiniteRows == 4)
        #expect(message { _ = try RepresentationHealth.measure(normal(1, 4, seed: 1)) }?.kind == .tooFewRows)
        #expect(message { _ = try RepresentationHealth.measure(.zeros([4])) }?.kind == .shape)
    }
}
