internal import Embeddings
internal import Files

/// One protocol's outcome on one representation.
struct Score {
    let kind: EvaluationProtocol
    let setting: String
    let split: String
    let metric: String
    let accuracy: Interval
    /// For each test image, in order.
    let correct: [Bool]
    let trainImages: Int
    let note: String?

    /// Top-1 and, where there are more than five classes, top-5.
    static func both(
        _ kind: EvaluationProtocol, _ setting: String, _ split: String, _ outcome: Classification, trainImages: Int
    ) -> [Score] {
        func score(_ k: Int) -> Score? {
            let correct = outcome.correct(within: k)
            guard let accuracy = Interval.wilson(correct) else { return nil }
            return Score(
                kind: kind, setting: setting, split: split, metric: "top-\(k)", accuracy: accuracy, correct: correct,
                trainImages: trainImages, note: outcome.notes.first)
        }
        return ([1] + (outcome.classNames.count > 5 && outcome.ranksFive ? [5] : [])).compactMap(score)
    }

    func result(_ encoder: String, seeds: Int?) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: kind.rawValue, setting: setting, split: split, metric: metric, value: accuracy.estimate,
            lower: accuracy.low, upper: accuracy.high, trainImages: trainImages, testImages: correct.count, seeds: seeds, note: note)
    }

    /// Means over initialisations, with Student's interval over them; of a single one, its own.
    static func averaged(_ runs: [[Score]], _ name: String) -> [EvaluationResult] {
        runs[0].indices.map { place in
            let scores = runs.map { $0[place] }
            var result = scores[0].result(name, seeds: runs.count)
            if let mean = Interval.student(scores.map(\.accuracy.estimate)) {
                result.value = mean.estimate
                result.lower = max(0, mean.low)
                result.upper = min(1, mean.high)
                result.setting = nil
            }
            return result
        }
    }

    /// This minus another on the same images, by the paired bootstrap.
    func minus(_ other: Score, _ name: String, _ baseline: String) -> EvaluationDifference {
        let difference = Interval.pairedBootstrap(correct, minus: other.correct)
        return EvaluationDifference(
            encoder: name, baseline: baseline, protocolName: kind.rawValue, metric: metric, value: difference.estimate,
            lower: difference.low, upper: difference.high)
    }
}
