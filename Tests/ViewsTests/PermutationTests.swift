import Foundation
import Testing

@testable import Views

/// The orders of tiles that puzzles are told apart by, against the definition of the rules and what can be counted.
@Suite struct PermutationTests {
    private static let choices: [PermutationChoice] = PermutationChoice.Rule.allCases.flatMap { rule in
        [0, 5].map { PermutationChoice(count: 25, rule: rule, seed: $0, minimumDistance: 2) }
    }

    /// Of every order that was chosen after those before it: no other has a larger (smaller, more central) mean distance to them.
    @Test(arguments: choices) func everyChoiceFollowsTheRule(_ choice: PermutationChoice) throws {
        var all: [[Int]] = [[]]
        for _ in 0..<5 { all = all.flatMap { head in (0..<5).filter { !head.contains($0) }.map { head + [$0] } } }
        #expect(all.count == 120)
        let orders = try PermutationSet(choice, tiles: 5).orders
        #expect(orders.count == 25 && Set(orders).count == 25 && Set(orders).isSubset(of: all))
        func differing(_ a: [Int], _ b: [Int]) -> Int { (0..<5).reduce(0) { $0 + (a[$1] == b[$1] ? 0 : 1) } }
        for next in 1..<25 {
            let before = orders[..<next]
            func mean(_ order: [Int]) -> Double { Double(before.reduce(0) { $0 + differing($1, order) }) / Double(next) }
            let means = all.filter { order in before.allSatisfy { differing($0, order) >= 2 } }.map(mean).sorted()
            let wanted =
                switch choice.rule {
                case .maximal: means[means.count - 1]
                case .minimal: means[0]
                case .middle: means[(means.count - 1) / 2]
                }
            #expect(mean(orders[next]) == wanted, "order \(next)")
        }
    }

    @Test func theSeedDecides() throws {
        func orders(_ seed: UInt64) throws -> [[Int]] { try PermutationSet(PermutationChoice(count: 30, seed: seed), tiles: 6).orders }
        #expect(try orders(3) == orders(3))
        #expect(try orders(3) != orders(4))
        let choice = PermutationChoice(count: 30, seed: 3)
        #expect(try choice.orders(tiles: 6).orders == orders(3) && choice.orders(tiles: 6) == choice.orders(tiles: 6))
        #expect(try JSONDecoder().decode(PermutationChoice.self, from: JSONEncoder().encode(choice)) == choice)
    }

    /// The mean distance of random orders of nine is 8; that of the paper's 100 at a maximal distance is 8.08.
    @Test func rulesOfNineTilesDiffer() throws {
        func distances(_ count: Int, _ rule: PermutationChoice.Rule) throws -> (least: Int, mean: Double, largest: Int) {
            try PermutationChoice(count: count, rule: rule).orders(tiles: 9).distances
        }
        let (maximal, middle, minimal) = try (distances(100, .maximal), distances(100, .middle), distances(100, .minimal))
        #expect((8.06...8.1).contains(maximal.mean) && maximal.largest == 9 && maximal.least >= 2)
        #expect(minimal.mean < 5 && minimal.least == 2 && minimal.mean < middle.mean - 1 && middle.mean < maximal.mean)
        #expect(try distances(64, .maximal).mean > 8.1)
    }

    /// With a distance of three the orders can be told whatever two tiles are hidden; with two, and that many orders, they cannot.
    @Test(arguments: [3, 2]) func hiddenTilesDoNotHideTheOrder(_ distance: Int) throws {
        let orders = try PermutationChoice(count: 1000, rule: .minimal, minimumDistance: distance).orders(tiles: 9).orders
        var alike = 0
        for a in 0..<9 {
            for b in 0..<a {
                let seen = Set(orders.map { order in order.enumerated().map { $0 == a || $0 == b ? -1 : $1 } })
                alike += orders.count - seen.count
            }
        }
        #expect((alike == 0) == (distance == 3), "\(alike)")
    }

    @Test func distancesAreCounted() {
        let set = PermutationSet(tiles: 4, orders: [[0, 1, 2, 3], [1, 0, 2, 3], [3, 2, 1, 0]])
        #expect(set.distances == (2, 10.0 / 3, 4))
    }

    @Test func impossibleOnesAreRefused() {
        func message(_ choice: PermutationChoice, _ tiles: Int) -> String {
            do {
                _ = try PermutationSet(choice, tiles: tiles)
                return ""
            } catch { return error.description }
        }
        #expect(
            message(PermutationChoice(count: 5, minimumDistance: 3), 3)
                == "permutations: there are only 3 orders of 3 tiles at a distance of 3 found this way, not 5: ask for fewer, or for a "
                + "smaller minimumDistance")
        #expect(message(PermutationChoice(count: 7), 3) == "permutations: count is 7, but 3 tiles have 6 orders")
        #expect(message(PermutationChoice(count: 10), 12) == "permutations: of 2 to 9 tiles, not 12")
        #expect(message(PermutationChoice(count: 1), 9) == "permutations: count is 1, but must be at least 2")
        #expect(message(PermutationChoice(count: 5, minimumDistance: 5), 4).contains("minimumDistance is 5, not 1…4"))
    }
}
