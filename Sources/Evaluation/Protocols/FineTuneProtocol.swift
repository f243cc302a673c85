internal import Backbones
internal import Embeddings
internal import Foundation
internal import Torch
internal import Training
internal import Views

/// The whole network trained further on 1 %, 10 % and all of the labels, in class-balanced subsets by seed, by one of the
/// published recipes.
///
/// Of a random encoder this is the supervised baseline: the same network from scratch, with the same labels and budget, what the
/// recipe chooses chosen by itself.
public struct FineTuneProtocol: EvaluationProtocol {
    public static let name = "finetune"
    public static let summary = "the whole network on 1 %, 10 %, 100 % of the labels; of a random encoder: supervised (SimCLR, B.5)"

    public var recipe = FineTuneRecipe.small
    /// Of the labels.
    public var shares = [0.01, 0.1, 1]
    /// Each replaces what the recipe says.
    public var learningRates: [Double]?
    public var epochs: Int?
    public var batchSize: Int?
    public var weightDecay: Double?
    /// Least steps of recipes that count epochs; 300 of `small`, 1 of others.
    public var leastSteps: Int?
    /// Each depth of the network learns so much more slowly than the next (Bao et al. 2022); 1 for one rate.
    public var layerDecay = 1.0

    public init() {}

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        guard !shares.isEmpty, shares.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
            throw EvaluationError("finetune.shares must lie between 0 and 1")
        }
        guard let encoder = subject.representation.encoder else { return [] }
        guard let test = subject.testImages else {
            throw EvaluationError("finetune needs a test split: put the images into train/ and test/, or give --test")
        }
        try subject.requireKnownTestClasses()
        let whole = subject.train.labelled.count
        let tuning = try tuning(of: whole, seed: subject.seed, subject.data.extraction, fromScratch: subject.representation.isRandom)
        return try shares.sorted().map { share in
            let rows = LabelDraw.share(share, of: subject.train.labels, seed: subject.seed)
            let outcome = try tuning(
                from: encoder, head: subject.representation.head, on: subject.trainImages.subset(rows), test: test)
            return Score(
                Self.name, "top-1 \(Self.percent(share))", setting: outcome.plan.summary, split: "test", correct: outcome.correct,
                trainImages: rows.count)
        }
    }

    /// - Parameters:
    ///   - whole: the labels that there are, of which recipes count shares.
    ///   - fromScratch: for new weights, which some recipes train longer.
    func tuning(of whole: Int, seed: UInt64, _ extraction: FeatureExtraction, fromScratch: Bool = false) throws -> FineTuning {
        guard learningRates?.isEmpty != true, (learningRates ?? [1]).allSatisfy({ $0 > 0 }), (epochs ?? 1) >= 1, (leastSteps ?? 1) >= 1,
            (batchSize ?? 2) >= 2, (weightDecay ?? 0) >= 0, layerDecay > 0, layerDecay <= 1
        else {
            throw EvaluationError(
                "finetune: learningRates must lie above 0, epochs and leastSteps at 1 or more, batchSize at 2, layerDecay between 0 and 1")
        }
        return FineTuning(
            plans: { images, encoder in plans(images, encoder, whole: whole, fromScratch: fromScratch) },
            leastSteps: leastSteps ?? (recipe == .small ? 300 : 1), seed: seed, threads: extraction.threads, device: extraction.device)
    }

    private func plans(_ images: any ImageDataset, _ encoder: Encoder, whole: Int, fromScratch: Bool) -> [FineTuneRecipe.Plan] {
        let area = (try? images.image(at: 0, coveringAtLeast: nil)).map { $0.width * $0.height } ?? encoder.imageSize * encoder.imageSize
        var plans = recipe.plans(
            .init(
                images: images.count, share: Double(images.count) / Double(max(1, whole)), area: area, imageSize: encoder.imageSize,
                isFromScratch: fromScratch))
        if let learningRates {
            plans = learningRates.map { rate in
                var plan = plans[0]
                plan.learningRate = rate
                return plan
            }
        }
        return plans.map { plan in
            var plan = plan
            if let epochs { plan.length = .epochs(epochs) }
            plan.batchSize = batchSize ?? plan.batchSize
            plan.weightDecay = weightDecay ?? plan.weightDecay
            plan.layerDecay = layerDecay
            return plan
        }
    }

    private static func percent(_ share: Double) -> String { String(format: "%g %%", share * 100) }
}
