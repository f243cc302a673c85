import Fovea

/// A text as numbers of words, the most frequent first.
struct Corpus {
    let words: [String]
    let counts: [Int]
    let numbers: [String: Int]
    /// The text, without rare words.
    let text: [Int]

    init(_ text: String, leastCount: Int) {
        let tokens = text.lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
        var counted: [String: Int] = [:]
        for token in tokens { counted[token, default: 0] += 1 }
        let kept = counted.filter { $0.value >= leastCount }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        words = kept.map(\.key)
        counts = kept.map(\.value)
        let numbers = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1.key, $0) })
        self.numbers = numbers
        self.text = tokens.compactMap { numbers[$0] }
    }

    /// Pairs of a word and one near it, at most `window` away, after frequent words were thinned out.
    func pairs(window: Int, threshold: Double, random: inout SystemRandomNumberGenerator) -> [(center: Int, context: Int)] {
        let total = Double(text.count)
        let keep = counts.map { Subsampling.keepProbability(frequency: Double($0) / total, threshold: threshold) }
        let thinned = text.filter { Double.random(in: 0..<1, using: &random) < keep[$0] }
        var pairs: [(center: Int, context: Int)] = []
        for place in thinned.indices {
            // Nearer words more often, as word2vec does it.
            let reach = Int.random(in: 1...window, using: &random)
            for other in Swift.max(0, place - reach)...Swift.min(thinned.count - 1, place + reach) where other != place {
                pairs.append((thinned[place], thinned[other]))
            }
        }
        return pairs.shuffled(using: &random)
    }
}
