public import Backbones
internal import Embeddings
internal import Foundation
internal import Torch
internal import Training
internal import Views

/// The whole network trained further on 1 %, 10 % and all of the labels, in class-balanced subsets by seed, by one of the
/// published recipes.
///
/// Of a random encoder this is the supervised baseline: the same network from scratch with the same labels, what is chosen chosen
/// by itself on the same fifth of them. Its budget is never smaller than that of fine-tuning, see `Baseline`.
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

    /// What the supervised baseline chooses among.
    public var baseline = Baseline.tuned

    /// The budget of training from scratch.
    public enum Baseline: String, Codable, Sendable, CaseIterable {
        /// More than fine-tuning: the recipe's plans of the most steps, and from the best of these, as long as each does better on the
        /// held-out fifth of the labelled images, three times the learning rate (at most thrice), weight decay 0.0005, and twice the
        /// length (at most twice). `simclr-transfer` has the paper's own grid and steps for it instead.
        case tuned
        /// The recipe's plans of the most steps alone: as many steps and rates as fine-tuning has.
        case same
    }

    public init() {}

    public static let automaticValues = [
        "learningRates": "the recipe's", "epochs": "the recipe's", "batchSize": "the recipe's", "weightDecay": "the recipe's",
        "leastSteps": "300 of the recipe small, 1 of others",
    ]

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard !shares.isEmpty, shares.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
            throw EvaluationError("finetune.shares must lie between 0 and 1")
        }
        try checkBudget()
        guard hasTest else {
            throw EvaluationError("finetune needs a test split: put the images into train/ and test/, or give --test")
        }
    }

    /// What training has whatever the shares.
    private func checkBudget() throws {
        func require(_ isFine: Bool, _ name: String, _ range: String, _ value: Any) throws {
            guard isFine else { throw EvaluationError("finetune.\(name) must be \(range), not \(value)") }
        }
        let most = 1_000_000
        try require(
            learningRates?.isEmpty != true && (learningRates ?? []).allSatisfy { $0 > 0 && $0.isFinite }, "learningRates",
            "numbers above 0", learningRates ?? [])
        try require((1...most).contains(epochs ?? 1), "epochs", "between 1 and \(most)", epochs ?? 1)
        try require((1...1000 * most).contains(leastSteps ?? 1), "leastSteps", "between 1 and \(1000 * most)", leastSteps ?? 1)
        try require((2...most).contains(batchSize ?? 2), "batchSize", "between 2 and \(most)", batchSize ?? 2)
        try require((weightDecay ?? 0) >= 0, "weightDecay", "0 or more", weightDecay ?? 0)
        try require(layerDecay > 0 && layerDecay <= 1, "layerDecay", "above 0 and at most 1", layerDecay)
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        guard let encoder = subject.representation.encoder, let test = subject.testImages else { return [] }
        try subject.requireKnownTestClasses()
        guard subject.test?.labels.contains(where: { $0 >= 0 }) == true else {
            throw EvaluationError("none of the test images has a label: check --test and --data")
        }
        let whole = subject.train.labelled.count
        let tuning = try tuning(of: whole, seed: subject.seed, subject.data.extraction, fromScratch: subject.representation.isRandom)
        return try shares.sorted().map { share in
            let rows = LabelDraw.share(share, of: subject.train.labels, seed: subject.seed)
            let outcome = try tuning(
                from: encoder, head: subject.representation.head, on: subject.trainImages.subset(rows), test: test)
            return Score(
                Self.name, "top-1 \(Self.percent(share))", setting: outcome.plan.summary, split: "test", correct: outcome.correct,
                trainImages: rows.count,
                // Every class has one image at least.
                note: Double(rows.count) > 1.5 * share * Double(whole) + 1
                    ? "\(rows.count) of \(whole) images, one of each class at least" : nil)
        }
    }

    /// - Parameters:
    ///   - whole: the labels that there are, of which recipes count shares.
    ///   - fromScratch: for new weights: the supervised baseline.
    func tuning(of whole: Int, seed: UInt64, _ extraction: FeatureExtraction, fromScratch: Bool = false) throws -> FineTuning {
        try checkBudget()
        return FineTuning(
            plans: { images, encoder in plans(images, encoder, whole: whole, fromScratch: fromScratch) },
            refinements: fromScratch && baseline == .tuned && recipe != .simclrTransfer ? FineTuneRecipe.refinementsFromScratch : [],
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
        // What chooses its length could otherwise get fewer steps than fine-tuning.
        if fromScratch, let longest = plans.map(\.length.count).max() { plans.removeAll { $0.length.count < longest } }
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
