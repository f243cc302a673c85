public import Backbones
public import Embeddings
internal import Torch

/// A few labelled images of each class, drawn many times: what the encoder is worth where labels are dear.
///
/// Features have unit length, and nothing is chosen (Tian et al. 2020). Every representation gets the same draws, so that
/// differences are paired. Values are means over draws, with Student's 95 % interval over them; all images are one draw, with Wilson's
/// over test images.
public struct LowShotProtocol: EvaluationProtocol {
    public static let name = "lowshot"
    public static let summary = "k labels per class, many draws: logistic regression, class means, SVM (Tian et al. 2020)"

    /// k.
    public var shots = [1, 2, 5, 10, 20, 50]
    public var draws = 10
    public var classifiers = FewShotClassifier.allCases

    public init() {}

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard !shots.isEmpty, shots.allSatisfy({ $0 >= 1 }), draws >= 1, !classifiers.isEmpty else {
            throw EvaluationError("lowshot.shots and lowshot.draws must be at least 1, with at least one of lowshot.classifiers")
        }
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        let (train, test, split) = try subject.division()
        let scored = test.labelled
        guard scored.count > 0 else { throw EvaluationError("none of the test images has a label: check --test and --data") }
        let most = train.classCounts.max() ?? 0
        // Beyond the largest class nothing would be added.
        let possible = shots.sorted().filter { $0 <= most }
        guard !possible.isEmpty else {
            throw EvaluationError("lowshot.shots: no class has \(shots.min()!) training images; the most are \(most)")
        }
        // The usual list is longer than most sets allow; one that was asked for is not.
        let missing = shots == Self().shots ? [] : shots.sorted().filter { $0 > most }
        var scores: [Score] = []
        for shot in possible {
            let short = train.classCounts.count { $0 > 0 && $0 < shot }
            // All images are one draw: its chance is that of the test images.
            let isWhole = shot >= most
            // Draws of different seeds must not be the same ones.
            let runs = try (0..<(isWhole ? 1 : draws)).map { index in
                let rows = LabelDraw.perClass(shot, of: train.labels, seed: subject.seed &* 1_000_003 &+ UInt64(index))
                let few = train.picked(rows)
                return (images: rows.count, found: try classifiers.map { try $0.evaluate(train: few, test: scored) })
            }
            var notes: [String] = []
            if short > 0 {
                notes.append("\(short) classes have fewer than \(shot) images, all of which are used")
            } else if isWhole {
                notes.append("all images are one draw: the interval is over test images")
            }
            if shot == possible.last, !missing.isEmpty {
                let list = missing.map(String.init).joined(separator: " and ")
                notes.append("no class has \(list) training images: the most are \(most)")
            }
            let note = notes.isEmpty ? nil : notes.joined(separator: "; ")
            for (place, classifier) in classifiers.enumerated() {
                let items = runs.map { Metrics.accuracy(of: $0.found[place]) }
                let interval = isWhole ? Interval.wilson(runs[0].found[place].correct()) : Interval.student(items)?.clamped()
                scores.append(
                    Score(
                        Self.name, "top-1 k=\(shot) \(classifier.rawValue)", split: split, items: items, unit: .draws, interval: interval,
                        trainImages: runs[0].images, testImages: scored.count, note: note))
            }
        }
        return scores
    }
}

extension Metrics {
    static func accuracy(of classification: Classification) -> Double { accuracy(classification.labels, classification.predictions) }
}
