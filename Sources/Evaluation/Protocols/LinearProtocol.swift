public import Backbones
internal import Embeddings
internal import Foundation
internal import Torch

/// A linear classifier on frozen features: multinomial logistic regression by L-BFGS, its penalty chosen on a fifth of the
/// training images (SimCLR, appendix B.8), or SGD with many learning rates in one pass (MoCo, DINOv2).
///
/// With `layers: "all"` also on every named layer of the backbone, pooled to at most 9,216 values (Zhang et al. 2016; Goyal et
/// al. 2019), and once more on the layer that did best on the held-out training images. Of transformers also on joined summaries
/// (Caron et al. 2021): `last4`, `last+mean`.
public struct LinearProtocol: EvaluationProtocol {
    public static let name = "linear"
    public static let summary = "a linear classifier on frozen features, of every layer with --layers all (SimCLR, appendix B.8)"

    public enum Solver: String, Codable, Sendable {
        case lbfgs, sgd
    }

    public var solver = Solver.lbfgs
    /// Of L-BFGS: how many λ between 10⁻⁶ and 10⁵ are tried; SimCLR has 45.
    public var penalties = 9
    /// Of SGD.
    public var epochs = 30
    /// Further views of each training image, random crops and flips, that the classifier learns from beside the image as it is.
    public var augmentations = 0
    /// Whether settings are chosen by the mean over classes; of few images they always are.
    public var choosesByClass = false
    /// `last`, `all`, or names of layers with commas between them.
    public var layers = "last"
    /// Most values that a layer's map is pooled to; one of each channel is the least.
    public var pooledWidth = 9216

    public init() {}

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        try Self.check(penalties, Self.name)
        for (name, value, least) in [("epochs", epochs, 1), ("pooledWidth", pooledWidth, 1), ("augmentations", augmentations, 0)]
        where value < least {
            throw EvaluationError("linear.\(name) must be at least \(least), not \(value)")
        }
        if let encoder { _ = try wanted(encoder) }
    }

    static func check(_ penalties: Int, _ name: String) throws {
        guard (1...1000).contains(penalties) else {
            throw EvaluationError("\(name).penalties must lie between 1 and 1000, not be \(penalties)")
        }
    }

    /// The layers to measure, beside the representation; nil for none.
    private func wanted(_ encoder: Encoder) throws -> [String]? {
        guard layers != "last" else { return nil }
        let known = encoder.backbone.layerNames + encoder.backbone.joinedNames
        let wanted = layers == "all" ? known : layers.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if let unknown = wanted.first(where: { !known.contains($0) }) {
            throw EvaluationError("--layers \(unknown): \(encoder.settings.name) has \(known.joined(separator: ", "))")
        }
        var seen: Set<String> = []
        return wanted.filter { seen.insert($0).inserted }
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        let (train, test, split) = try subject.division()
        let outcome = try evaluated(train, test, subject, as: subject.representation)
        var scores = try Score.accuracies(
            Self.name, setting: setting(outcome.fit), split: split, outcome.classification, trainImages: train.labelled.count)
        // Of several seeds the first.
        if let findings = subject.representation.findings, findings.linear == nil, subject.test != nil {
            findings.linear = (outcome.fit.classifier, outcome.classification)
        }
        guard let encoder = subject.representation.encoder, let wanted = try wanted(encoder) else { return scores }

        try subject.data.readLayers(wanted, of: encoder, width: pooledWidth)
        var best: (name: String, accuracy: Double, scores: [Score])?
        for layer in wanted {
            // The last layer may do best where it is pooled to a vector, but the maps are what layers are compared by.
            let pooled = Representation.layer(layer, of: encoder, width: pooledWidth)
            let splits = try subject.data.splits(of: pooled)
            let part = EvaluationSubject(splits, subject.representation, subject.data, seed: subject.seed)
            let (train, test, split) = try part.division()
            let outcome = try evaluated(train, test, part, as: pooled)
            let found = try Score.accuracies(
                Self.name, suffix: " \(layer)", setting: setting(outcome.fit), split: split, outcome.classification,
                trainImages: train.labelled.count
            ).filter { $0.metric.hasPrefix("top-1") }
            scores += found
            let accuracy = outcome.fit.final.accuracy ?? 0
            if best.map({ accuracy > $0.accuracy }) ?? true { best = (layer, accuracy, found) }
        }
        if let best, wanted.count > 1 {
            scores += best.scores.map { score in
                var chosen = score
                chosen.metric = "top-1 chosen layer"
                chosen.setting = best.name
                chosen.note = "chosen on held-out training images"
                return chosen
            }
        }
        return scores
    }

    private func evaluated(
        _ train: Features, _ test: Features, _ subject: EvaluationSubject, as representation: Representation
    ) throws -> (classification: Classification, fit: LinearProbe.Fit) {
        var probe = probe(subject.seed)
        guard let views = try subject.furtherViews(augmentations, as: representation) else {
            return try probe.evaluate(train: train, test: test)
        }
        // On images as they are: of one image no view may be learned from and another be chosen by.
        let chosen = try probe.fit(train).final
        switch probe.solver {
        case .lbfgs(var settings):
            // The penalty stands beside a sum over rows.
            settings.values = [chosen.value * Double(1 + augmentations)]
            probe.solver = .lbfgs(settings)
        case .descent(var settings):
            settings.learningRates = [chosen.value]
            probe.solver = .descent(settings)
        }
        let own = train.labelled
        let all = Features(
            matrix: .concatenated([own.matrix, views.matrix]), labels: own.labels + views.labels, classNames: train.classNames)
        var found = try probe.evaluate(train: all, test: test)
        (found.fit.final.value, found.fit.final.accuracy) = (chosen.value, chosen.accuracy)
        return found
    }

    private func probe(_ seed: UInt64) -> LinearProbe {
        var probe: LinearProbe
        switch solver {
        case .lbfgs:
            let values = penalties == 1 ? [1] : LinearProbe.logarithmic(from: 1e-6, to: 1e5, count: penalties)
            probe = LinearProbe(.lbfgs(.init(values: values)))
        case .sgd:
            var descent = LinearProbe.Descent()
            descent.epochs = epochs
            probe = LinearProbe(.descent(descent))
        }
        probe.seed = seed
        probe.choosesByClass = choosesByClass
        return probe
    }

    private func setting(_ fit: LinearProbe.Fit) -> String {
        String(format: solver == .lbfgs ? "λ=%.0e" : "lr=%.1e", fit.final.value)
            + (augmentations > 0 ? ", \(augmentations) further views" : "")
    }
}
