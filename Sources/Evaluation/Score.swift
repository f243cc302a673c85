public import Embeddings
internal import Files

/// One number of a protocol on one representation, with what it is a mean of.
public struct Score: Sendable, Codable, Equatable {
    /// What `items` are, and so how intervals and differences are computed.
    public enum Unit: String, Sendable, Codable {
        /// One per test image: differences are paired over images.
        case images
        /// One per draw of training images, the same draws for every representation: differences are paired over draws.
        case draws
        /// Nothing: the number is of the whole.
        case none
    }

    public var protocolName: String
    public var metric: String
    /// What was chosen for this representation, such as `k=20`.
    public var setting: String?
    public var split: String
    public var value: Double
    /// 95 %; nil where none is known.
    public var interval: Interval?
    public var unit: Unit
    public var items: [Double]
    public var trainImages: Int
    public var testImages: Int
    public var note: String?
    /// Set where the number is one of many that belong into a table of their own, not among the results.
    public var detail: Detail?

    /// A cell of such a table.
    public struct Detail: Sendable, Hashable, Codable {
        /// Such as the classifier.
        public var series: String
        /// Such as the corruption.
        public var group: String
        /// Such as the severity.
        public var level: Int

        public init(series: String, group: String, level: Int) {
            self.series = series
            self.group = group
            self.level = level
        }
    }

    /// A share of test images, with Wilson's interval.
    /// - Precondition: at least one image.
    public init(
        _ protocolName: String, _ metric: String, setting: String? = nil, split: String, correct: [Bool], trainImages: Int,
        note: String? = nil
    ) {
        self.init(
            protocolName, metric, setting: setting, split: split, items: correct.map { $0 ? 1 : 0 }, unit: .images,
            interval: Interval.wilson(correct), trainImages: trainImages, testImages: correct.count, note: note)
    }

    /// A mean of `items`; of images without an interval the bootstrap's, of draws Student's.
    public init(
        _ protocolName: String, _ metric: String, setting: String? = nil, split: String, items: [Double], unit: Unit,
        interval: Interval? = nil, trainImages: Int, testImages: Int, note: String? = nil
    ) {
        precondition(!items.isEmpty, "\(protocolName) \(metric) is a mean of nothing")
        self.protocolName = protocolName
        self.metric = metric
        self.setting = setting
        self.split = split
        value = interval?.estimate ?? items.reduce(0, +) / Double(items.count)
        self.interval = interval ?? (unit == .images ? Interval.bootstrap(items) : Interval.student(items))
        self.unit = unit
        self.items = items
        self.trainImages = trainImages
        self.testImages = testImages
        self.note = note
    }

    /// A number of the whole split.
    public init(
        _ protocolName: String, _ metric: String, setting: String? = nil, split: String, value: Double, trainImages: Int,
        testImages: Int, note: String? = nil
    ) {
        self.init(
            protocolName, metric, setting: setting, split: split, items: [value], unit: .none, trainImages: trainImages,
            testImages: testImages, note: note)
    }

    /// Top-1 and, where there are more than five classes, top-5.
    public static func accuracies(
        _ protocolName: String, suffix: String = "", setting: String?, split: String, _ outcome: Classification, trainImages: Int
    ) throws -> [Score] {
        guard !outcome.scored.isEmpty else { throw EvaluationError("none of the test images has a label: check --test and --data") }
        return ([1] + (outcome.classNames.count > 5 && outcome.ranksFive ? [5] : [])).map { k in
            Score(
                protocolName, "top-\(k)\(suffix)", setting: setting, split: split, correct: outcome.correct(within: k),
                trainImages: trainImages, note: outcome.note)
        }
    }

    /// What no interval leaves; AMI and ARI can be below zero.
    private var isShare: Bool {
        unit == .images || ["top-", "NMI", "accuracy", "purity"].contains { metric.hasPrefix($0) }
    }

    var key: String { "\(protocolName)|\(metric)|\(split)" }

    func result(_ encoder: String, seeds: Int? = nil, seed: Int? = nil) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: protocolName, setting: setting, split: split, metric: metric, value: value,
            lower: interval?.low, upper: interval?.high, trainImages: trainImages > 0 ? trainImages : nil, testImages: testImages,
            seeds: seeds, seed: seed,
            note: note)
    }

    /// The same score under several seeds as one: the mean of each image's value, all draws together, or the mean over seeds.
    static func merged(_ runs: [[Score]]) -> [Score] {
        guard runs.count > 1 else { return runs[0] }
        return runs[0].map { first in
            let scores = runs.compactMap { run in run.first { $0.key == first.key } }
            let isSameImages = first.split != "held-out fifth" && scores.allSatisfy { $0.items.count == first.items.count }
            var merged = first
            switch first.unit {
            // Nothing was left to chance.
            case .images where isSameImages && scores.allSatisfy { $0.items == first.items }: return first
            case .images where isSameImages:
                merged.items = first.items.indices.map { place in scores.reduce(0) { $0 + $1.items[place] } / Double(scores.count) }
                merged.interval = Interval.bootstrap(merged.items)
            // One draw of everything, the same under every seed.
            case .draws where first.items.count == 1 && scores.allSatisfy { $0.items == first.items }: return first
            case .draws:
                merged.items = scores.flatMap(\.items)
                merged.interval = Interval.student(merged.items)
            default:
                merged.items = scores.map(\.value)
                // Of other images each time; where they are the same, seeds alone say nothing about others.
                merged.unit = first.unit == .none ? .none : .draws
                merged.interval = Interval.student(merged.items)
            }
            merged.value = merged.items.reduce(0, +) / Double(merged.items.count)
            if merged.isShare { merged.interval = merged.interval?.clamped() }
            if scores.contains(where: { $0.setting != first.setting }) { merged.setting = nil }
            return merged
        }
    }

    /// Means over initialisations, with Student's interval over them; of a single one, its own.
    static func averaged(_ runs: [[Score]], _ name: String) -> [EvaluationResult] {
        runs[0].map { first in
            let scores = runs.compactMap { run in run.first { $0.key == first.key } }
            var result = first.result(name, seeds: scores.count)
            if let mean = Interval.student(scores.map(\.value)) {
                result.value = mean.estimate
                (result.lower, result.upper) = (mean.low, mean.high)
                if first.isShare { (result.lower, result.upper) = (max(0, mean.low), min(1, mean.high)) }
                if scores.contains(where: { $0.setting != first.setting }) { result.setting = nil }
            }
            return result
        }
    }

    /// The bootstrap over fewer images than this takes what was not drawn for impossible: two that agree would make an interval of no width.
    static let leastImages = 10
    private var canTellApart: Bool { unit != .images || items.count >= Self.leastImages }
    /// A line where differences are not told.
    var fewImages: String? { canTellApart ? nil : "\(items.count) test images are too few to tell encoders apart" }

    /// This minus the mean of several runs of a baseline: by the bootstrap over images and runs; otherwise as `minus`, from the run
    /// of median value.
    func minus(meanOf runs: [Score], _ name: String, _ baseline: String) -> EvaluationDifference? {
        guard unit == .images, !runs.isEmpty, runs.allSatisfy({ $0.unit == unit && $0.items.count == items.count }) else {
            let sorted = runs.sorted { $0.value < $1.value }
            return sorted.isEmpty ? nil : minus(sorted[sorted.count / 2], name, baseline)
        }
        guard canTellApart else { return nil }
        let found = Interval.pairedBootstrap(items, minusMeanOf: runs.map(\.items))
        return EvaluationDifference(
            encoder: name, baseline: baseline, protocolName: protocolName, metric: metric, value: found.estimate, lower: found.low,
            upper: found.high)
    }

    /// This minus another: the paired bootstrap over the same images, Student's over the same draws; nil where neither is.
    func minus(_ other: Score, _ name: String, _ baseline: String) -> EvaluationDifference? {
        guard unit == other.unit, items.count == other.items.count, canTellApart else { return nil }
        let differences = zip(items, other.items).map { $0 - $1 }
        guard let found = unit == .images ? Interval.bootstrap(differences) : unit == .draws ? Interval.student(differences) : nil
        else { return nil }
        // Two shares differ by no more than all.
        let most = isShare ? 1 : Double.infinity
        return EvaluationDifference(
            encoder: name, baseline: baseline, protocolName: protocolName, metric: metric, value: found.estimate,
            lower: max(-most, found.low), upper: min(most, found.high))
    }
}

extension Classification {
    /// All notes, and that nothing was told apart, as one.
    var note: String? {
        let predicted = Set(predictions)
        let constant =
            predicted.count == 1 && !predicted.contains(-1) && Set(scored.map { labels[$0] }).count > 1
            ? predicted.first.map { classNames[$0] } : nil
        let all = (constant.map { ["every image is taken for \($0)"] } ?? []) + notes
        return all.isEmpty ? nil : all.joined(separator: "; ")
    }
}
