internal import Embeddings

/// Which images are labelled in an experiment with few labels.
enum LabelDraw {
    /// `count` rows of each class (all of a smaller class), rising. The draws of one seed are nested: those of a smaller count
    /// are among those of a larger one.
    static func perClass(_ count: Int, of labels: [Int], seed: UInt64) -> [Int] { draw(labels, seed) { _ in count } }

    /// A share of each class, at least one image of it: class-balanced as far as the split is.
    static func share(_ share: Double, of labels: [Int], seed: UInt64) -> [Int] {
        draw(labels, seed) { max(1, Int((share * Double($0)).rounded())) }
    }

    private static func draw(_ labels: [Int], _ seed: UInt64, _ wanted: (_ size: Int) -> Int) -> [Int] {
        var random = SplitMix64(seed: seed)
        let classes = Dictionary(grouping: labels.indices.filter { labels[$0] >= 0 }, by: { labels[$0] })
        return classes.keys.sorted().flatMap { label -> ArraySlice<Int> in
            var rows = classes[label]!
            random.shuffle(&rows)
            return rows.prefix(wanted(rows.count))
        }.sorted()
    }
}
