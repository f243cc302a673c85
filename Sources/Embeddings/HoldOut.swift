/// Splits a training split for choosing settings.
package enum HoldOut {
    /// A share of each class, drawn by the seed: round(share · m) of a class of m images, at least one when m ≥ 2 and at most
    /// m − 1, and none of a class of one.
    /// - Parameter labels: class indices, all ≥ 0.
    /// - Returns: rows to fit and rows to choose by, each in rising order.
    package static func stratified(_ labels: [Int], share: Double, seed: UInt64) -> (fit: [Int], held: [Int]) {
        var random = SplitMix64(seed: seed)
        var fit: [Int] = []
        var held: [Int] = []
        let classes = Dictionary(grouping: labels.indices, by: { labels[$0] })
        for label in classes.keys.sorted() {
            var rows = classes[label]!
            random.shuffle(&rows)
            let wanted = Int((share * Double(rows.count)).rounded())
            let count = Swift.max(0, Swift.min(rows.count - 1, Swift.max(1, wanted)))
            held += rows.prefix(count)
            fit += rows.dropFirst(count)
        }
        return (fit.sorted(), held.sorted())
    }

    /// The same again and again, until every row was held once: in `count` parts, each class spread over all of them.
    /// - Returns: for each part that has rows, rows to fit and rows to choose by, each in rising order.
    package static func folds(_ labels: [Int], count: Int, seed: UInt64) -> [(fit: [Int], held: [Int])] {
        var random = SplitMix64(seed: seed)
        var part = [Int](repeating: 0, count: labels.count)
        var next = 0
        let classes = Dictionary(grouping: labels.indices, by: { labels[$0] })
        for label in classes.keys.sorted() {
            var rows = classes[label]!
            random.shuffle(&rows)
            for row in rows {
                part[row] = next % count
                next += 1
            }
        }
        return (0..<min(count, labels.count)).map { number in
            (labels.indices.filter { part[$0] != number }, labels.indices.filter { part[$0] == number })
        }
    }
}
