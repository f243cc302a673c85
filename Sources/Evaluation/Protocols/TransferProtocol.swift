public import Backbones
internal import Embeddings

/// What transfer is measured by: a linear classifier on frozen features, and the whole network fine-tuned with all labels (SimCLR,
/// Chen et al. 2020, table 8 and appendix B.8). Of a random encoder the second is the paper's "random init".
public struct TransferProtocol: EvaluationProtocol {
    public static let name = "transfer"
    public static let summary = "linear and fine-tuned with all labels, by the data set's own metric (SimCLR, table 8)"

    public enum Metric: String, Codable, Sendable, CaseIterable {
        case top1 = "top-1"
        /// The mean over classes of the share of each class's images that are right.
        case meanPerClass = "mean-per-class"

        /// What the 12-data-set protocol uses (Kornblith et al. 2019, table 1): the mean over classes for Aircraft, Pets, Caltech-101
        /// and Flowers; top-1 for the others. VOC 2007 has several labels per image and is not among what can be read here.
        public init(dataset name: String) {
            let name = name.lowercased()
            self = ["aircraft", "pets", "pet", "caltech", "flowers"].contains { name.contains($0) } ? .meanPerClass : .top1
        }

        var title: String { self == .top1 ? "accuracy" : "mean per-class accuracy" }
    }

    public var metric = Metric.top1
    /// As the linear protocol's; SimCLR has 45.
    public var penalties = 9
    /// Without it, only the linear classifier.
    public var finetunes = true
    /// As the fine-tuning protocol's; SimCLR's own is `simclr-transfer`.
    public var recipe = FineTuneProtocol().recipe
    public var learningRates = FineTuneProtocol().learningRates
    public var epochs = FineTuneProtocol().epochs
    public var leastSteps = FineTuneProtocol().leastSteps
    public var batchSize = FineTuneProtocol().batchSize
    public var weightDecay = FineTuneProtocol().weightDecay
    public var layerDecay = FineTuneProtocol().layerDecay
    public var baseline = FineTuneProtocol().baseline

    public init() {}

    public static let automaticValues = FineTuneProtocol.automaticValues

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        try LinearProtocol.check(penalties, Self.name)
        if finetunes, encoder != nil { try tuning.check(encoder, hasTest: hasTest) }
    }

    private var tuning: FineTuneProtocol {
        var tuning = FineTuneProtocol()
        tuning.shares = [1]
        (tuning.learningRates, tuning.epochs, tuning.leastSteps) = (learningRates, epochs, leastSteps)
        (tuning.batchSize, tuning.weightDecay, tuning.layerDecay, tuning.recipe) = (batchSize, weightDecay, layerDecay, recipe)
        tuning.baseline = baseline
        return tuning
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        var linear = LinearProtocol()
        linear.penalties = penalties
        linear.choosesByClass = metric == .meanPerClass
        let (train, test, _) = try subject.division()
        // Of all classes of the test split, also those that training lacks, so that items and labels stand beside each other.
        let labels = test.labels.filter { $0 >= 0 }
        func transferred(_ scores: [Score], _ name: String) throws -> [Score] {
            guard var score = scores.first(where: { $0.metric.hasPrefix("top-1") }) else { return [] }
            if metric == .meanPerClass {
                score = Score(
                    Self.name, "", setting: score.setting, split: score.split, items: Self.perClass(score.items, labels), unit: .images,
                    interval: Self.interval(score.items, labels), trainImages: score.trainImages, testImages: score.testImages,
                    note: score.note)
            }
            score.protocolName = Self.name
            score.metric = "\(name) \(metric.title)"
            return [score]
        }
        var scores = try transferred(linear.measure(subject), "linear")
        if finetunes, subject.representation.encoder != nil {
            scores += try transferred(tuning.measure(subject), "fine-tuned")
        }
        let absent = train.classNames.indices.filter { train.classCounts[$0] > 0 }.count - Set(labels).count
        if absent > 0, metric == .meanPerClass {
            for index in scores.indices where scores[index].note == nil {
                scores[index].note = "\(absent) classes have no test image and are not in the mean"
            }
        }
        return scores
    }

    /// Right answers weighted by n / (C · n_c), so that their mean over images is the mean over classes.
    static func perClass(_ items: [Double], _ labels: [Int]) -> [Double] {
        precondition(items.count == labels.count, "\(items.count) answers for \(labels.count) labels")
        let counts = labels.reduce(into: [Int: Double]()) { $0[$1, default: 0] += 1 }
        let (images, classes) = (Double(labels.count), Double(counts.count))
        return zip(items, labels).map { $0 * images / (classes * counts[$1]!) }
    }

    /// Of the mean over classes: Wilson's of each class, put together by MOVER (Zou and Donner 2008),
    ///
    ///     m ± (1/C) √Σ_c (p_c − l_c)², and with u_c above,
    ///
    /// which does not shrink to nothing where all answers are right, as the bootstrap's does.
    static func interval(_ items: [Double], _ labels: [Int]) -> Interval {
        let rows = Dictionary(grouping: labels.indices, by: { labels[$0] })
        // In order, for the same rounding in every run.
        let classes = rows.keys.sorted().map { label in
            Interval.wilson(rows[label]!.count { items[$0] > 0.5 }, of: rows[label]!.count)
        }
        let count = Double(classes.count)
        let mean = classes.reduce(0) { $0 + $1.estimate } / count
        let below = classes.reduce(0) { $0 + ($1.estimate - $1.low) * ($1.estimate - $1.low) }.squareRoot() / count
        let above = classes.reduce(0) { $0 + ($1.high - $1.estimate) * ($1.high - $1.estimate) }.squareRoot() / count
        return Interval(estimate: mean, low: max(0, mean - below), high: min(1, mean + above), level: 0.95)
    }
}
