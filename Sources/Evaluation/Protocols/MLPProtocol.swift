public import Backbones
internal import Embeddings
internal import Foundation

/// One hidden layer on frozen features (Kolesnikov, Zhai and Beyer 2019), its learning rate chosen on a fifth of the training
/// images. RotNet's non-linear classifier is `hiddenLayers` 2, `hiddenWidth` 200 and `batchNorm`.
public struct MLPProtocol: EvaluationProtocol {
    public static let name = "mlp"
    public static let summary = "one hidden layer on frozen features (Kolesnikov et al. 2019)"

    public var hiddenWidth = 1000
    public var hiddenLayers = 1
    public var batchNorm = false
    public var learningRates = [0.01, 0.1]
    public var epochs = 20
    public var batch = 256
    public var weightDecay = 1e-4

    public init() {}

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        func require(_ isFine: Bool, _ name: String, _ range: String, _ value: Any) throws {
            guard isFine else { throw EvaluationError("mlp.\(name) must be \(range), not \(value)") }
        }
        for (name, value) in [("hiddenWidth", hiddenWidth), ("hiddenLayers", hiddenLayers), ("epochs", epochs)] {
            try require(value >= 1, name, "at least 1", value)
        }
        try require(batch >= (batchNorm ? 2 : 1), "batch", batchNorm ? "at least 2 with batch normalisation" : "at least 1", batch)
        try require(
            !learningRates.isEmpty && learningRates.allSatisfy { $0 > 0 && $0.isFinite }, "learningRates", "numbers above 0", learningRates)
        try require(weightDecay >= 0, "weightDecay", "0 or more", weightDecay)
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        var probe = MLPProbe()
        probe.hiddenWidth = hiddenWidth
        probe.hiddenLayers = hiddenLayers
        probe.batchNorm = batchNorm
        probe.learningRates = learningRates
        probe.epochs = epochs
        probe.batch = batch
        probe.weightDecay = weightDecay
        probe.seed = subject.seed
        let (train, test, split) = try subject.division()
        let outcome = try probe.evaluate(train: train, test: test)
        if outcome.classification.ranked.allSatisfy(\.isEmpty) {
            throw EvaluationError("mlp: the network diverged at the learning rate \(outcome.learningRate): lower mlp.learningRates")
        }
        return try Score.accuracies(
            Self.name, setting: String(format: "lr=%.0e", outcome.learningRate), split: split, outcome.classification,
            trainImages: train.labelled.count)
    }
}
