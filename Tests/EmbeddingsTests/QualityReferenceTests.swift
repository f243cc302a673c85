import Foundation
import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Held against SciPy and the papers' formulas in NumPy (generate_quality.py).
@Suite struct QualityReferenceTests {
    private let values: ReferenceValues

    init() throws { values = try ReferenceValues.load("quality") }

    // MARK: Agglomerative clustering

    /// Numbered by first appearance, so that partitions can be compared.
    private func canonical(_ clusters: [Int]) -> [Int] {
        var numbers: [Int: Int] = [:]
        return clusters.map { cluster in
            if let number = numbers[cluster] { return number }
            numbers[cluster] = numbers.count
            return numbers.count - 1
        }
    }

    @Test(arguments: Agglomerative.Linkage.allCases, [true, false])
    func clustersAreSciPys(linkage: Agglomerative.Linkage, spherical: Bool) throws {
        for k in [2, 5, 9] {
            var tree = Agglomerative(clusters: k)
            (tree.linkage, tree.spherical) = (linkage, spherical)
            let expected = values["tree.\(linkage.rawValue).\(spherical ? "unit" : "plain").\(k)"].ints
            #expect(try tree.fit(values["rows"]) == canonical(expected), "\(linkage), k = \(k)")
        }
    }

    @Test func linkagesAndLengthsMatter() throws {
        func clusters(_ linkage: Agglomerative.Linkage, _ spherical: Bool) throws -> [Int] {
            var tree = Agglomerative(clusters: 5)
            (tree.linkage, tree.spherical) = (linkage, spherical)
            return try tree.fit(values["rows"])
        }
        #expect(try clusters(.ward, true) != clusters(.average, true))
        #expect(try clusters(.ward, true) != clusters(.ward, false))
    }

    @Test func endsOfTheTreeAndEqualRows() throws {
        let rows = values["rows"]
        #expect(try Agglomerative(clusters: 1).fit(rows) == [Int](repeating: 0, count: 150))
        #expect(try Agglomerative(clusters: 150).fit(rows) == Array(0..<150))
        // Three times the same two rows: ties everywhere, and two clusters.
        let twice = Tensor.concatenated([rows[0..<2], rows[0..<2], rows[0..<2]])
        #expect(try Agglomerative(clusters: 2).fit(twice) == [0, 1, 0, 1, 0, 1])
        #expect(message { _ = try Agglomerative(clusters: 7).fit(twice) }?.kind == .tooFewRows)
    }

    // MARK: Measures

    @Test(arguments: [(11, 50), (1, 64), (5, 20)])
    func alphaIsTheFormulas(low: Int, high: Int) throws {
        let found = try #require(try AlphaReQ.measure(values["spectrum.rows"], ranks: low...high))
        #expect(abs(found - values["spectrum.alpha.\(low).\(high)"].item) < 1e-5)
    }

    @Test func alphaOfAPowerLawIsItsExponent() throws {
        for alpha in [0.5, 1, 1.7] {
            let found = try #require(AlphaReQ.exponent((1...100).map { 3 * pow(Double($0), -alpha) }))
            #expect(abs(found - alpha) < 1e-9)
        }
        // A spectrum that ends before the line begins has none.
        #expect(AlphaReQ.exponent((1...12).map { 1 / Double($0) }) == nil)
    }

    @Test(arguments: [1e-4, 0.3])
    func lidarIsThePapers(delta: Double) throws {
        let all = values["lidar.views"]
        let views = (0..<6).map { all[$0] }
        let name = delta == 1e-4 ? "lidar.0.0001" : "lidar.0.3"
        let expected = values[name].item
        #expect(abs(try LiDAR.measure(views, delta: delta) - expected) < 1e-4 * expected)
        // Views of other images are no views: what lies within is as large as what lies between.
        let shifted = views.enumerated().map { place, view in Tensor.concatenated([view[place..<48], view[0..<place]]) }
        #expect(abs(try LiDAR.measure(shifted, delta: delta) - expected) > 0.05 * expected)
    }

    @Test func rankCorrelationIsSciPys() throws {
        for name in ["spearman", "spearman.ties"] {
            let found = RankCorrelation.spearman(values["\(name).a"].doubles, values["\(name).b"].doubles)
            #expect(abs(try #require(found) - values[name].item) < 1e-12)
        }
        #expect(RankCorrelation.spearman([1, 2, 3], [30, 20, 10]) == -1)
        #expect(RankCorrelation.spearman([1, 1, 1], [3, 2, 1]) == nil && RankCorrelation.spearman([1, 2], [1, 2]) == nil)
    }

    // MARK: Near-duplicates

    @Test func pairsAreFoundOnceAndGroupsHoldTogether() throws {
        var rows = normal(40, 32, seed: 8)
        // 40 and 41 are row 3, one of them louder; 42 is row 7 with little noise.
        rows = .concatenated([rows, rows[3..<4] * 2.5, rows[3..<4], rows[7..<8] + normal(1, 32, seed: 9) * 0.05])
        let pairs = try NearDuplicates.candidates(of: rows, least: 0.95)
        #expect(Set(pairs.map { [$0.first, $0.second] }) == [[3, 40], [3, 41], [40, 41], [7, 42]])
        #expect(pairs.map(\.correlation) == pairs.map(\.correlation).sorted(by: >))
        #expect(NearDuplicates.groups(pairs) == [[3, 40, 41], [7, 42]])
        let leaks = try NearDuplicates.candidates(of: rows[40..<43], in: rows[0..<40], least: 0.95)
        #expect(Set(leaks.map { [$0.first, $0.second] }) == [[0, 3], [1, 3], [2, 7]])
    }

    @Test func correlationIgnoresBrightnessAndContrast() {
        let a = (0..<50).map { Double($0 * $0 % 17) }
        #expect(abs(NearDuplicates.correlation(a, a.map { 3 * $0 + 40 }) - 1) < 1e-12)
        #expect(abs(NearDuplicates.correlation(a, a.map { -$0 }) + 1) < 1e-12)
        #expect(NearDuplicates.correlation(a, [Double](repeating: 2, count: 50)) == 0)
        // Pictures of one colour.
        #expect(NearDuplicates.correlation([2, 2, 2], [2, 2, 2]) == 1 && NearDuplicates.correlation([2, 2, 2], [3, 3, 3]) == 0)
    }
}
