internal import Embeddings
internal import Views

/// What a classifier gets wrong of each image: clean, and summed over the severities of each comparable corruption.
struct CorruptionErrors {
    /// One per image.
    var clean: [Double]
    /// By corruption: one per image, of the sum over `severities`.
    var corrupted: [String: [Double]]
    let severities: Int
    /// Whether the values are of the same images in every such table, so that images can be drawn.
    let isByImage: Bool

    /// Whether it is one of those that mCE is a mean over: the paper's, but for what is not comparable.
    static func counts(_ kind: Corruption) -> Bool { kind.family != .extra && kind.isComparable }

    private init(clean: [Double], corrupted: [String: [Double]], severities: Int, isByImage: Bool) {
        self.clean = clean
        self.corrupted = corrupted
        self.severities = severities
        self.isByImage = isByImage
    }

    /// From one representation's scores; nil without comparable corruptions.
    init?(_ scores: [Score], _ classifier: String) {
        let main = Set(Corruption.allCases.filter(Self.counts).map(\.rawValue))
        let details = scores.filter { $0.detail?.series == classifier && main.contains($0.detail!.group) }
        guard !details.isEmpty, let clean = scores.first(where: { $0.metric == "top-1 clean \(classifier)" }) else { return nil }
        self.clean = clean.items.map { 1 - $0 }
        corrupted = [:]
        for score in details {
            var sum = corrupted[score.detail!.group] ?? [Double](repeating: 0, count: score.items.count)
            for place in sum.indices { sum[place] += 1 - score.items[place] }
            corrupted[score.detail!.group] = sum
        }
        severities = Set(details.map { $0.detail!.level }).count
        isByImage = clean.unit == .images
    }

    /// Of several initialisations.
    static func mean(_ all: [CorruptionErrors]) -> CorruptionErrors? {
        guard var mean = all.first else { return nil }
        func average(_ values: (CorruptionErrors) -> [Double]) -> [Double] {
            let columns = all.map(values)
            return columns[0].indices.map { place in columns.reduce(0) { $0 + $1[place] } / Double(all.count) }
        }
        mean.clean = average(\.clean)
        for kind in mean.corrupted.keys { mean.corrupted[kind] = average { $0.corrupted[kind]! } }
        return mean
    }

    /// Of each image: the share of corruptions and severities under which it is classified rightly.
    var meanAccuracy: [Double] {
        clean.indices.map { place in
            1 - corrupted.values.reduce(0) { $0 + $1[place] } / Double(corrupted.count * severities)
        }
    }

    /// In per cent, with the bootstrap's interval over images.
    ///
    /// A corruption that costs the baseline nothing has no relative error and is left out, with a note; nil when none is left.
    func meanCorruptionError(
        against baseline: CorruptionErrors, isRelative: Bool
    ) -> (value: Double, interval: Interval?, note: String?)? {
        let kinds = corrupted.keys.filter { baseline.corrupted[$0] != nil }.sorted()
        func excess(_ errors: CorruptionErrors, _ kind: String) -> [Double] {
            guard isRelative else { return errors.corrupted[kind]! }
            return zip(errors.corrupted[kind]!, errors.clean).map { $0 - Double(severities) * $1 }
        }
        let rows = kinds.map { (kind: $0, own: excess(self, $0), base: excess(baseline, $0)) }
        // Within half an image the baseline loses nothing, and a quotient would be noise.
        let usable = rows.filter { $0.base.reduce(0, +) > 0.5 }
        guard !usable.isEmpty else { return nil }
        func mean(_ weights: [Double]?) -> Double? {
            var sum = 0.0
            for row in usable {
                func total(_ values: [Double]) -> Double {
                    weights.map { weights in zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } } ?? values.reduce(0, +)
                }
                let base = total(row.base)
                if base <= 0 { return nil }
                sum += total(row.own) / base
            }
            return 100 * sum / Double(usable.count)
        }
        let left = rows.filter { row in !usable.contains { $0.kind == row.kind } }.map(\.kind)
        var notes = left.isEmpty ? [] : ["without \(left.joined(separator: ", ")), which cost the baseline nothing"]
        guard let value = mean(nil) else { return nil }
        let interval = interval(value, mean)
        if interval == nil, isByImage, isRelative { notes.append("no interval: too few images for what corruptions cost the baseline") }
        return (value, interval, notes.isEmpty ? nil : notes.joined(separator: "; "))
    }

    private func interval(_ estimate: Double, _ mean: ([Double]?) -> Double?) -> Interval? {
        guard isByImage, clean.count > 1 else { return nil }
        var random = SplitMix64(seed: 0)
        let draws = 1000
        var values = (0..<draws).compactMap { _ -> Double? in
            var weights = [Double](repeating: 0, count: clean.count)
            for _ in clean.indices { weights[random.below(clean.count)] += 1 }
            return mean(weights)
        }
        // Where draws without a denominator are many, there is no interval to speak of.
        guard values.count > draws * 19 / 20 else { return nil }
        values.sort()
        return Interval(
            estimate: estimate, low: Interval.percentile(values, 0.025), high: Interval.percentile(values, 0.975), level: 0.95)
    }
}
