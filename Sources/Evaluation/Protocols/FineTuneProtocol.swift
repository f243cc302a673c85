internal import Embeddings
internal import Foundation
internal import Training
internal import Views

/// The whole network trained further on 1 %, 10 % and all of the labels, in class-balanced subsets by seed (SimCLR, appendix
/// B.5; BYOL, appendix C.2 chooses the learning rate on held-out training images, as here).
///
/// Of a random encoder this is the supervised baseline: the same network from scratch, with the same labels and budget, its
/// learning rate chosen by itself.
public struct FineTuneProtocol: EvaluationProtocol {
    public static let name = "finetune"
    public static let summary = "the whole network on 1 %, 10 %, 100 % of the labels; of a random encoder: supervised (SimCLR, B.5)"

    /// Of the labels.
    public var shares = [0.01, 0.1, 1]
    /// For batches of 256; the paper has 0.05.
    public var learningRates = [0.05, 0.4]
    /// SimCLR's for 1 % of the labels; at least `leastSteps` steps.
    public var epochs = 60
    public var leastSteps = 300
    public var batchSize = 64
    public var weightDecay = 0.0

    public init() {}

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        guard !shares.isEmpty, shares.allSatisfy({ $0 > 0 && $0 <= 1 }), !learningRates.isEmpty, learningRates.allSatisfy({ $0 > 0 }),
            epochs >= 1, leastSteps >= 1, batchSize >= 2, weightDecay >= 0
        else {
            throw EvaluationError(
                "finetune: shares must lie between 0 and 1, learningRates above 0, epochs and leastSteps at 1 or more, batchSize at 2")
        }
        guard let encoder = subject.representation.encoder else { return [] }
        guard let test = subject.testImages else {
            throw EvaluationError("finetune needs a test split: put the images into train/ and test/, or give --test")
        }
        try subject.requireKnownTestClasses()
        let tuning = FineTuning(
            learningRates: learningRates, epochs: epochs, leastSteps: leastSteps, batchSize: batchSize, weightDecay: weightDecay,
            seed: subject.seed, threads: subject.data.extraction.threads, device: subject.data.extraction.device)
        return try shares.sorted().map { share in
            let rows = LabelDraw.share(share, of: subject.train.labels, seed: subject.seed)
            let outcome = try tuning(from: encoder, on: subject.trainImages.subset(rows), test: test)
            return Score(
                Self.name, "top-1 \(Self.percent(share))", setting: "lr=\(outcome.learningRate)", split: "test", correct: outcome.correct,
                trainImages: rows.count)
        }
    }

    private static func percent(_ share: Double) -> String { String(format: "%g %%", share * 100) }
}
