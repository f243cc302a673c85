public import Files

/// What an encoder is worth, in one sentence: its most telling result, and how far from the baselines it is.
public struct Headline: Sendable, Equatable {
    public struct Comparison: Sendable, Equatable {
        public var baseline: EvaluationResult
        /// The encoder's value minus the baseline's.
        public var difference: Double
        /// Whether the difference may be chance: the paired 95 % interval of the difference holds 0 or, where there is none, the two
        /// 95 % intervals have values in common. Nil where nothing is known.
        public var mayBeChance: Bool?
    }

    public var result: EvaluationResult
    public var comparisons: [Comparison]

    /// Nil if no result of the encoder is a share, such as an accuracy.
    /// - Parameters:
    ///   - differences: the encoder against baselines on the same images.
    ///   - method: the run's method, to tell its encoder from others in the same table.
    public init?(_ results: [EvaluationResult], differences: [EvaluationDifference] = [], method: String? = nil) {
        let shares = results.filter(\.isShare)
        let own = shares.filter { $0.encoder == method }
        let notBaselines = shares.filter { !Self.isBaseline($0.encoder) }
        let candidates = own.isEmpty ? notBaselines.filter { $0.encoder == notBaselines[0].encoder } : own
        guard let result = Self.mostTelling(candidates) else { return nil }
        self.result = result
        // Where there is no baseline, encoders are compared with each other.
        let others = notBaselines.count == shares.count ? shares.map(\.encoder).uniqued() : Self.baselines.map(\.name)
        comparisons = others.compactMap { other in
            guard other != result.encoder else { return nil }
            let rows = shares.filter { $0.encoder == other && Self.isComparable($0, result) }
            // A setting chosen for each encoder by itself is as comparable as the same one, but only if there is no choice.
            let match = rows.last { $0.setting == result.setting } ?? (rows.count == 1 ? rows[0] : nil)
            return match.map { baseline in
                Comparison(
                    result, to: baseline,
                    paired: differences.last {
                        $0.encoder == result.encoder && $0.baseline == baseline.encoder && $0.protocolName == result.protocolName
                            && $0.metric == result.metric
                    })
            }
        }
    }

    /// Such as `kNN 41.9 % on 2,000 test images: 11.7 points above a random encoder, 9.8 above raw pixels`.
    public var sentence: String {
        let title = isAmongEquals ? "\(result.encoder), \(result.protocolTitle)" : result.protocolTitle.capitalizedFirst
        var text = "\(title) \(result.valueText)"
        if result.metric != "top-1" { text += " \(result.metric)" }
        if let images = result.testImages { text += " on \(NumberStyle.count(images)) \(result.split.map { "\($0) " } ?? "")images" }
        guard !comparisons.isEmpty else { return text + ", with no baseline beside it" }
        var saidPoints = false
        let parts = comparisons.map { comparison in
            let name = Self.inSentence(comparison.baseline.encoder)
            let points = NumberStyle.fixed(abs(comparison.difference) * 100, decimals: 1)
            guard points != "0.0" else { return "level with \(name)" }
            let unit = saidPoints ? "" : " points"
            saidPoints = true
            return "\(points)\(unit) \(comparison.difference > 0 ? "above" : "below") \(name)"
        }
        return text + ": " + parts.joined(separator: ", ")
    }

    /// A second sentence, where the first one alone would promise more than was measured.
    public var caution: String? {
        let overlapping = comparisons.filter { $0.mayBeChance == true }.map { Self.inSentence($0.baseline.encoder) }
        guard !overlapping.isEmpty else { return nil }
        return "By its 95 % interval, the difference to \(overlapping.joined(separator: " and to ")) may be chance."
    }

    private static let baselines: [(name: String, inSentence: String)] = [
        ("random encoder", "a random encoder"), ("raw pixels", "raw pixels"), ("supervised", "a supervised encoder"),
    ]

    static func isBaseline(_ encoder: String) -> Bool { baselines.contains { $0.name == encoder } }

    private static func inSentence(_ encoder: String) -> String { baselines.first { $0.name == encoder }?.inSentence ?? encoder }

    /// Whether the sentence must say which encoder it is about.
    private var isAmongEquals: Bool { comparisons.contains { !Self.isBaseline($0.baseline.encoder) } }

    /// kNN first: it has nothing to train and little to choose. Then the linear probe, then what comes first.
    private static func mostTelling(_ rows: [EvaluationResult]) -> EvaluationResult? {
        let top1 = rows.filter { $0.metric == "top-1" }
        let rows = top1.isEmpty ? rows : top1
        let test = rows.filter { $0.split == "test" }
        let pool = test.isEmpty ? rows : test
        let favourite = ["knn", "linear"].first { name in pool.contains { $0.protocolName == name } } ?? pool.first?.protocolName
        guard let first = pool.first(where: { $0.protocolName == favourite }) else { return nil }
        return pool.last { $0.protocolName == favourite && $0.setting == first.setting }
    }

    /// The same measurement: a difference between other splits or other amounts of images says nothing about the encoders.
    private static func isComparable(_ a: EvaluationResult, _ b: EvaluationResult) -> Bool {
        func same(_ a: Int?, _ b: Int?) -> Bool { a == nil || b == nil || a == b }
        return a.protocolName == b.protocolName && a.metric == b.metric && a.split == b.split
            && same(a.trainImages, b.trainImages) && same(a.testImages, b.testImages)
    }
}

extension Headline.Comparison {
    init(_ result: EvaluationResult, to baseline: EvaluationResult, paired: EvaluationDifference?) {
        self.baseline = baseline
        difference = result.value - baseline.value
        if let paired {
            mayBeChance = paired.lower <= 0 && 0 <= paired.upper
        } else if let lower = result.lower, let upper = result.upper, let otherLower = baseline.lower, let otherUpper = baseline.upper {
            mayBeChance = lower <= otherUpper && otherLower <= upper
        }
    }
}

extension String {
    /// With a capital at the start, unless the word has one elsewhere (`kNN`).
    var capitalizedFirst: String {
        let word = prefix { $0 != " " }
        return word.contains(where: \.isUppercase) ? self : prefix(1).uppercased() + dropFirst()
    }
}
