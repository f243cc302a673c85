import Embeddings
import Testing
import Torch

@Suite struct KMeansTests {
    @Test func agreesWithScikitLearnFromTheSameStart() throws {
        let values = try References.tensors("bank", "kmeans.start", "kmeans.centroids", "kmeans.labels", "kmeans.inertia")
        var settings = KMeans(clusters: 9)
        settings.tolerance = 0
        settings.iterations = 300
        let found = try settings.fit(values[0], initial: values[1])
        #expect(found.converged)
        #expect(found.assignments.equal(values[3]).to(.float32).mean().item > 0.997)
        #expect(largestDifference(found.centroids, values[2]) < 0.02)
        #expect(abs(found.inertia / values[4].item - 1) < 1e-4)
        #expect(found.sizes == found.assignments.counts(9).ints && found.sizes.reduce(0, +) == 700)
        #expect(found.assign(values[0]).ints == found.assignments.ints)
    }

    @Test func seedingAndRestartsReachScikitLearnsInertia() throws {
        let values = try References.tensors("bank", "kmeans.inertia.restarts")
        var settings = KMeans(clusters: 9)
        settings.restarts = 10
        let found = try settings.fit(values[0])
        #expect(found.inertia < values[1].item * 1.02)
        settings.restarts = 1
        let one = try settings.fit(values[0])
        #expect(one.inertia >= found.inertia)
        #expect(try settings.fit(values[0]).assignments.ints == one.assignments.ints)
        settings.seed = 99
        #expect(try settings.fit(values[0]).assignments.ints != one.assignments.ints)
    }

    /// Six far clusters: k-means++ finds them all at the first try, random rows mostly do not.
    @Test func plusPlusFindsSeparatedClusters() throws {
        let centres = normal(6, 10, seed: 20) * 100
        let labels = (0..<600).map { $0 % 6 }
        let matrix = centres.rows(Tensor(labels)) + normal(600, 10, seed: 21)
        for seed in 0..<10 {
            var settings = KMeans(clusters: 6)
            settings.seed = UInt64(seed)
            let found = try settings.fit(matrix)
            #expect(found.sizes == Array(repeating: 100, count: 6))
            #expect(Set(zip(found.assignments.ints, labels).map { $0 * 10 + $1 }).count == 6)
        }
    }

    @Test func sphericalIgnoresLengths() throws {
        let matrix = normal(300, 12, seed: 22)
        let lengths = normal(300, 1, seed: 23).abs() * 20 + 0.1
        var settings = KMeans(clusters: 5)
        settings.spherical = true
        let (a, b) = (try settings.fit(matrix), try settings.fit(matrix * lengths))
        #expect(a.assignments.ints == b.assignments.ints)
        #expect(largestDifference(a.centroids.norm(1), .ones([5])) < 1e-5)
        // Each row's cosine to its own centroid is the largest, and the inertia is that of unit rows.
        let cosines = matrix.normalized().matmul(a.centroids.t)
        #expect(cosines.argmax(1).ints == a.assignments.ints)
        #expect(abs(a.inertia - (2 - 2 * cosines.max(1)).sum().item) < 1e-2)
        settings.spherical = false
        #expect(try settings.fit(matrix * lengths).assignments.ints != settings.fit(matrix).assignments.ints)
    }

    @Test func emptyClustersAreFilled() throws {
        let matrix = normal(100, 4, seed: 24)
        // Two of the centroids are so far away that they are nobody's.
        let start = Tensor.concatenated([matrix[0..<2], Tensor.full([2, 4], 1000)])
        let found = try KMeans(clusters: 4).fit(matrix, initial: start)
        #expect(found.sizes.allSatisfy { $0 > 0 })
        #expect(found.centroids.abs().max().item < 10)
    }

    @Test func duplicatesAndFewRows() throws {
        // Three different points for five clusters.
        let matrix = normal(3, 4, seed: 25).rows(Tensor((0..<60).map { $0 % 3 }))
        let found = try KMeans(clusters: 5).fit(matrix)
        #expect(found.inertia < 1e-8 && found.sizes.reduce(0, +) == 60 && found.sizes.count { $0 > 0 } == 3)
        #expect(found.centroids.isFinite().all().item == 1)
        let each = try KMeans(clusters: 60).fit(normal(60, 4, seed: 26))
        #expect(each.inertia < 1e-8 && each.sizes == Array(repeating: 1, count: 60))
        let one = try KMeans(clusters: 1).fit(matrix)
        #expect(largestDifference(one.centroids[0], matrix.mean(0)) < 1e-6)
        var rows = KMeans(clusters: 60)
        rows.seeding = .rows
        #expect(try rows.fit(normal(60, 4, seed: 27)).inertia < 1e-8)
    }

    @Test func badInput() throws {
        let bad = normal(10, 4, seed: 28)
        bad.indexCopyInPlace(0, Tensor([7]), Tensor.full([1, 4], .nan))
        #expect(message { _ = try KMeans(clusters: 2).fit(bad) }?.kind == .notFinite)
        #expect(message { _ = try KMeans(clusters: 2).fit(bad) }?.description.contains("first in row 7") == true)
        #expect(message { _ = try KMeans(clusters: 11).fit(normal(10, 4, seed: 1)) }?.kind == .tooFewRows)
        #expect(message { _ = try KMeans(clusters: 0).fit(normal(10, 4, seed: 1)) }?.kind == .setting)
        #expect(message { _ = try KMeans(clusters: 2).fit(.zeros([10])) }?.kind == .shape)
        #expect(message { _ = try KMeans(clusters: 2).fit(.zeros([0, 3])) }?.kind == .shape)
        #expect(message { _ = try KMeans(clusters: 2).fit(normal(10, 4, seed: 1), initial: .zeros([2, 3])) }?.kind == .width)
    }
}
