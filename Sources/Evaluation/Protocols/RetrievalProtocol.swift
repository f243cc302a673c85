public import Backbones
internal import Embeddings

/// Search by cosine similarity: test images query the training images, or without a test split each image all others.
public struct RetrievalProtocol: EvaluationProtocol {
    public static let name = "retrieve"
    public static let summary = "search by cosine similarity: recall@k and mean average precision"

    /// k of recall@k.
    public var depths = [1, 5, 10]

    public init() {}

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard !depths.isEmpty, depths.allSatisfy({ $0 >= 1 }) else {
            throw EvaluationError("retrieve.depths must be numbers of at least 1, not \(depths)")
        }
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        let outcome = try Retrieval(depths: depths).evaluate(gallery: subject.train, queries: subject.test)
        let (split, gallery) = (subject.test == nil ? "leave-one-out" : "test", subject.train.labelled.count)
        // What a query searches: without a test split not itself.
        let searched = subject.test == nil ? gallery - 1 : gallery
        let recall = zip(depths, outcome.recall).map { depth, found -> Score in
            let whole = depth >= searched ? "\(depth) are all images there are to find: 100 % for any encoder" : nil
            return Score(
                Self.name, "recall@\(depth)", split: split, correct: found, trainImages: gallery, note: whole ?? outcome.notes.first)
        }
        return recall + [
            Score(
                Self.name, "mAP", split: split, items: outcome.averagePrecision, unit: .images, trainImages: gallery,
                testImages: outcome.queries.count, note: outcome.notes.first)
        ]
    }
}
