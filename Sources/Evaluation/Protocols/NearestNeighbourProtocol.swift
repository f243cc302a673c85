public import Backbones
internal import Embeddings

/// Weighted votes of the nearest training images (Wu et al. 2018); leave-one-out without a test split.
public struct NearestNeighbourProtocol: EvaluationProtocol {
    public static let name = "knn"
    public static let summary = "weighted votes of the nearest training images (Wu et al. 2018)"

    /// k; nil for half the images per class, at most 200.
    public var neighbours: Int?
    /// k to choose among, by leaving one out of the training images; without any, `neighbours`.
    public var sweep: [Int] = []
    /// τ of the votes exp(s / τ).
    public var temperature = 0.1
    /// One vote each instead.
    public var plain = false

    public init() {}

    public static let automaticValues = ["neighbours": "half the images per class, at most 200"]

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard sweep.isEmpty || hasTest else {
            throw EvaluationError("knn.sweep chooses k on the training images, which needs a test split to be told apart: give --test")
        }
        guard (neighbours ?? 1) >= 1, sweep.allSatisfy({ $0 >= 1 }) else {
            throw EvaluationError("knn.neighbours and knn.sweep must be at least 1")
        }
        guard temperature > 0 else { throw EvaluationError("knn.temperature must be above 0, not \(temperature)") }
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        var classifier = NearestNeighbourClassifier(
            count: neighbours.map { .fixed($0) } ?? .automatic, vote: plain ? .majority : .weighted(temperature: temperature))
        if !sweep.isEmpty {
            var best = -1.0
            // Of equally good ones the smallest.
            for count in Set(sweep).sorted() {
                var tried = classifier
                tried.count = .fixed(count)
                let accuracy = try tried.leaveOneOut(subject.train).classification.top1?.estimate ?? 0
                if accuracy > best { (classifier, best) = (tried, accuracy) }
            }
        }
        let outcome =
            try subject.test.map { try classifier.evaluate(train: subject.train, test: $0) } ?? classifier.leaveOneOut(subject.train)
        // What differs from the usual; rows of other settings must not look alike.
        let votes = plain ? ", plain" : temperature != Self().temperature ? ", τ=\(temperature)" : ""
        return try Score.accuracies(
            Self.name, setting: "k=\(outcome.neighbours)\(votes)", split: subject.test == nil ? "leave-one-out" : "test",
            outcome.classification, trainImages: subject.train.labelled.count)
    }
}
