public import Backbones
internal import Embeddings
internal import Foundation
internal import Training
internal import Views

/// How much accuracy corruptions cost (Hendrycks & Dietterich 2019): classifiers of clean training features, tested on
/// corrupted images in five severities.
///
///     CE_c = Σ_s E(s, c) ⁄ Σ_s E₀(s, c)                               E₀: the baseline's errors
///     relative CE_c = Σ_s (E(s, c) − E) ⁄ Σ_s (E₀(s, c) − E₀)         E, E₀: errors on clean images
///
/// mCE and relative mCE are means over the paper's 15 corruptions but frost, which is computed here and not photographed; in per
/// cent. The paper's baseline is AlexNet, so that its numbers are comparable only with that baseline, on ImageNet.
public struct RobustnessProtocol: EvaluationProtocol {
    public static let name = "robust"
    public static let summary = "accuracy under 15 corruptions in 5 severities, mCE (Hendrycks and Dietterich 2019)"

    public enum Classifier: String, Codable, Sendable, CaseIterable {
        case linear, knn
    }

    public var classifiers = Classifier.allCases
    /// `main` for the paper's 15, `all` for the 4 extra ones too, or names with commas between them.
    public var corruptions = "main"
    public var severities = Array(Corruption.severities)
    /// At most so many test images, from each class alike: each is seen 75 times.
    public var images = 1000
    /// As the linear protocol's.
    public var penalties = 9

    public init() {}

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard !classifiers.isEmpty else { throw EvaluationError("robust.classifiers is empty: give linear, knn or both") }
        guard !severities.isEmpty, severities.allSatisfy(Corruption.severities.contains) else {
            throw EvaluationError("robust.severities must be numbers between 1 and 5, not \(severities)")
        }
        guard images >= 1 else { throw EvaluationError("robust.images must be at least 1, not \(images)") }
        try LinearProtocol.check(penalties, "robust")
        _ = try chosenCorruptions()
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        let kinds = try chosenCorruptions()
        let (train, clean, images, split) = try drawn(subject)
        let predict = try classifiers.map { ($0, try predictor($0, train, subject.seed)) }
        var scores: [Score] = []
        func add(
            _ metric: String, _ classifier: Classifier, _ features: Features, _ detail: Score.Detail? = nil, note: String? = nil
        ) throws {
            let outcome = try predict.first { $0.0 == classifier }!.1(features)
            let notes = [note, outcome.note].compactMap(\.self)
            var score = Score(
                Self.name, "\(metric) \(classifier.rawValue)", split: split, correct: outcome.correct(), trainImages: train.labelled.count,
                note: notes.isEmpty ? nil : notes.joined(separator: "; "))
            score.detail = detail
            scores.append(score)
        }
        for classifier in classifiers { try add("top-1 clean", classifier, clean, note: Self.missingMeans(kinds)) }
        for kind in kinds {
            for severity in Set(severities).sorted() {
                let extraction = subject.data.extraction
                let views = try CorruptedViews(kind, severity: severity, size: ImageSize(extraction.imageSize))
                let found = try extraction(images, views: views, seed: subject.seed) { subject.representation.features($0) }
                let features = Features(matrix: found.rows, labels: found.labels, classNames: clean.classNames)
                for classifier in classifiers {
                    try add(
                        "top-1 \(kind.rawValue) \(severity)", classifier, features,
                        .init(series: classifier.rawValue, group: kind.rawValue, level: severity))
                }
            }
        }
        return scores + classifiers.compactMap { corrupted($0, scores) }
    }

    /// Why there is no mCE and no mean accuracy; nil where there are both.
    private static func missingMeans(_ kinds: [Corruption]) -> String? {
        guard !kinds.contains(where: CorruptionErrors.counts) else { return nil }
        let names = kinds.map(\.rawValue).joined(separator: ", ")
        return "no mCE and no mean under corruptions: \(names) \(kinds.count == 1 ? "is" : "are") not among those that these are of"
    }

    /// mCE and relative mCE.
    public func relative(_ own: [Score], to baseline: [[Score]], _ name: String) -> [Score] {
        classifiers.flatMap { classifier -> [Score] in
            guard let mine = CorruptionErrors(own, classifier.rawValue) else { return [] }
            let others = baseline.compactMap { CorruptionErrors($0, classifier.rawValue) }
            guard let theirs = CorruptionErrors.mean(others), let example = own.first(where: { $0.metric.hasSuffix(classifier.rawValue) })
            else { return [] }
            let hasRelative = mine.meanCorruptionError(against: theirs, isRelative: true) != nil
            return [false, true].compactMap { isRelative in
                guard let found = mine.meanCorruptionError(against: theirs, isRelative: isRelative) else { return nil }
                var score = Score(
                    Self.name, "\(isRelative ? "relative mCE" : "mCE") \(classifier.rawValue)", setting: "against \(name)",
                    split: example.split, value: found.value, trainImages: example.trainImages, testImages: example.testImages,
                    note: !isRelative && !hasRelative ? "no relative mCE: no corruption costs \(name) anything" : found.note)
                score.interval = found.interval
                return score
            }
        }
    }

    private func chosenCorruptions() throws -> [Corruption] {
        switch corruptions {
        case "all": return Corruption.allCases
        case "main": return Corruption.allCases.filter { $0.family != .extra }
        default:
            return try corruptions.split(separator: ",").map { part in
                let name = part.trimmingCharacters(in: .whitespaces)
                guard let kind = Corruption(rawValue: name) else {
                    throw EvaluationError(
                        "robust.corruptions=\(name): there is main, all, \(Corruption.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return kind
            }
        }
    }

    /// Training features, and the clean features and images to test on.
    private func drawn(_ subject: EvaluationSubject) throws -> (Features, Features, SubsetDataset, String) {
        let (train, test, testImages, split) = try subject.divisionWithImages()
        let labelled = test.labels.indices.filter { test.labels[$0] >= 0 }
        guard !labelled.isEmpty else { throw EvaluationError("none of the test images has a label: check --test and --data") }
        // The same images under every seed, so that seeds can be averaged image by image.
        let rows =
            labelled.count > images
            ? LabelDraw.share(Double(images) / Double(labelled.count), of: test.labels, seed: subject.data.seed) : labelled
        return (train, test.picked(rows), testImages.subset(rows), split)
    }

    private func predictor(_ classifier: Classifier, _ train: Features, _ seed: UInt64) throws -> (Features) throws -> Classification {
        switch classifier {
        case .knn:
            let knn = NearestNeighbourClassifier()
            return { try knn.evaluate(train: train, test: $0).classification }
        case .linear:
            var probe = LinearProbe(
                .lbfgs(.init(values: penalties == 1 ? [1] : LinearProbe.logarithmic(from: 1e-6, to: 1e5, count: penalties))))
            probe.seed = seed
            let fit = try probe.fit(train)
            return { test in
                let map = try LabelMap(train: train.classNames, test: test.classNames)
                return Classification(
                    labels: map.apply(test.labels), ranked: fit.classifier.ranking(test.matrix), classNames: map.classNames,
                    notes: fit.notes + (map.note.map { [$0] } ?? []))
            }
        }
    }

    /// The mean over comparable corruptions and severities.
    private func corrupted(_ classifier: Classifier, _ scores: [Score]) -> Score? {
        guard let errors = CorruptionErrors(scores, classifier.rawValue), let example = scores.first else { return nil }
        return Score(
            Self.name, "top-1 corrupted \(classifier.rawValue)", split: example.split, items: errors.meanAccuracy, unit: .images,
            trainImages: example.trainImages, testImages: example.testImages)
    }
}
