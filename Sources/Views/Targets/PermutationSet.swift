internal import Foundation

/// Which of the n! orders of n tiles are told apart, a subset that a rule picks (Noroozi and Favaro 2016, algorithm 1).
public struct PermutationChoice: Codable, Sendable, Equatable {
    public enum Rule: String, Codable, Sendable, CaseIterable {
        /// Next is always the one with the largest mean Hamming distance to those chosen so far; the published choice.
        case maximal
        /// The one in the middle of all.
        case middle
        /// The one with the least.
        case minimal
    }

    public var count = 100
    public var rule = Rule.maximal
    /// Of the first, and of choices among equals.
    public var seed: UInt64 = 0
    /// No two are closer than this. Jigsaw++ needs one more than the tiles that may be of another image, so that the others tell
    /// which order it is.
    public var minimumDistance = 2

    public init() {}

    public init(count: Int, rule: Rule = .maximal, seed: UInt64 = 0, minimumDistance: Int = 2) {
        self.count = count
        self.rule = rule
        self.seed = seed
        self.minimumDistance = minimumDistance
    }

    /// The chosen orders of `tiles` tiles; kept, because all of them are looked at.
    /// - Throws: when the tiles are not 2 to 9, or there are not so many orders that far apart.
    public func orders(tiles: Int) throws(AugmentationError) -> PermutationSet {
        let key = Kept(choice: self, tiles: tiles)
        if let found = Kept.lock.withLock({ Kept.sets[key] }) { return found }
        let made = try PermutationSet(self, tiles: tiles)
        Kept.lock.withLock { Kept.sets[key] = made }
        return made
    }

    private struct Kept: Hashable {
        let choice: PermutationChoice
        let tiles: Int
        static let lock = NSLock()
        nonisolated(unsafe) static var sets: [Kept: PermutationSet] = [:]
    }
}

extension PermutationChoice: Hashable {}

/// Orders of tiles: in order σ, place j shows tile σ(j).
public struct PermutationSet: Sendable, Equatable {
    public let tiles: Int
    /// Each a permutation of 0 ..< tiles.
    public let orders: [[Int]]

    public init(tiles: Int, orders: [[Int]]) {
        self.tiles = tiles
        self.orders = orders
    }

    init(_ choice: PermutationChoice, tiles: Int) throws(AugmentationError) {
        let check = Check(augmentation: "permutations")
        try check.holds((2...9).contains(tiles), "of 2 to 9 tiles, not \(tiles)")
        try check.holds(choice.count >= 2, "count is \(choice.count), but must be at least 2")
        try check.holds((1...tiles).contains(choice.minimumDistance), "minimumDistance is \(choice.minimumDistance), not 1…\(tiles)")
        let most = (2...tiles).reduce(1, *)
        try check.holds(choice.count <= most, "count is \(choice.count), but \(tiles) tiles have \(most) orders")
        let all = Self.all(tiles)
        var random = ViewRandom(seed: choice.seed)
        // Of each order the sum of its distances to those chosen; −1 when it is too close to one.
        var sums = [Int32](repeating: 0, count: all.count)
        var next = random.integer(below: all.count)
        var orders: [[Int]] = []
        while true {
            orders.append(Self.unpacked(all[next], tiles))
            if orders.count == choice.count { break }
            let newest = all[next]
            // How many have each sum.
            var histogram = [Int](repeating: 0, count: tiles * orders.count + 1)
            for i in all.indices where sums[i] >= 0 {
                let distance = Self.distance(all[i], newest)
                if distance < choice.minimumDistance {
                    sums[i] = -1
                } else {
                    sums[i] += Int32(distance)
                    histogram[Int(sums[i])] += 1
                }
            }
            let left = histogram.reduce(0, +)
            try check.holds(
                left > 0,
                "there are only \(orders.count) orders of \(tiles) tiles at a distance of \(choice.minimumDistance) found this way, "
                    + "not \(choice.count): ask for fewer, or for a smaller minimumDistance")
            let wanted = Self.sum(choice.rule, histogram, left)
            // Any of those that have it.
            var place = random.integer(below: histogram[wanted])
            for i in all.indices where sums[i] == wanted {
                if place == 0 {
                    next = i
                    break
                }
                place -= 1
            }
        }
        self.init(tiles: tiles, orders: orders)
    }

    private static func sum(_ rule: PermutationChoice.Rule, _ histogram: [Int], _ count: Int) -> Int {
        switch rule {
        case .maximal: return histogram.lastIndex { $0 > 0 }!
        case .minimal: return histogram.firstIndex { $0 > 0 }!
        case .middle:
            var below = 0
            return histogram.firstIndex {
                below += $0
                return 2 * below >= count
            }!
        }
    }

    /// Places in which two orders differ.
    public static func distance(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).count { $0 != $1 } }

    /// Over all pairs.
    public var distances: (least: Int, mean: Double, largest: Int) {
        var (least, largest, sum, pairs) = (tiles, 0, 0, 0)
        for (i, a) in orders.enumerated() {
            for b in orders[..<i] {
                let distance = Self.distance(a, b)
                (least, largest) = (min(least, distance), max(largest, distance))
                sum += distance
                pairs += 1
            }
        }
        return (least, Double(sum) / Double(max(1, pairs)), largest)
    }

    // MARK: Orders in four bits a tile

    private static func distance(_ a: UInt64, _ b: UInt64) -> Int {
        var differing = a ^ b
        differing |= differing >> 1
        differing |= differing >> 2
        return (differing & 0x1111_1111_1111_1111).nonzeroBitCount
    }

    private static func unpacked(_ order: UInt64, _ tiles: Int) -> [Int] { (0..<tiles).map { Int(order >> (4 * UInt64($0)) & 15) } }

    /// In lexicographic order.
    private static func all(_ tiles: Int) -> [UInt64] {
        var all: [UInt64] = []
        func extend(_ order: UInt64, _ used: Int, _ place: Int) {
            if place == tiles { return all.append(order) }
            for tile in 0..<tiles where used & 1 << tile == 0 {
                extend(order | UInt64(tile) << (4 * UInt64(place)), used | 1 << tile, place + 1)
            }
        }
        extend(0, 0, 0)
        return all
    }
}
