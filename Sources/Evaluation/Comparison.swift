public import Backbones
internal import Embeddings
public import Files
internal import Torch
internal import Training
public import Views

extension Evaluator {
    /// An encoder and what to call it.
    public struct Contestant {
        public var encoder: Encoder
        public var name: String
        public var head: ProjectionHead?

        public init(_ encoder: Encoder, name: String, head: ProjectionHead? = nil) {
            self.encoder = encoder
            self.name = name
            self.head = head
        }
    }

    /// Several encoders on the same images: a row for each, and every pair's difference, over the same images or draws.
    /// - Parameter folder: where results are written; nil for nowhere.
    /// - Throws: `EvaluationError`, `FeatureError`, `FileError`.
    public func compare(
        _ contestants: [Contestant], train: any ImageDataset, test: (any ImageDataset)?, folder: String?
    ) throws -> Outcome {
        guard Set(contestants.map(\.name)).count == contestants.count, contestants.count >= 2 else {
            throw EvaluationError("a comparison needs at least two encoders of different names")
        }
        try requireClasses(train)
        var outcome = Outcome(results: [], differences: [], unreadable: [])
        var before: [(name: String, scores: [Score])] = []
        for contestant in contestants {
            progress("features of \(contestant.name)")
            contestant.encoder.move(to: device)
            let extraction = FeatureExtraction(
                imageSize: contestant.encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
            let data = EvaluationData(train: train, test: test, extraction: extraction, seed: seed)
            let representation = Representation.encoder(contestant.encoder, name: contestant.name, head: contestant.head)
            let splits = try data.splits(of: representation)
            outcome.unreadable = splits.unreadable
            let own = Score.merged(try scores(representation, splits, data))
            outcome.results += own.map { $0.result(contestant.name, seeds: seeds > 1 ? seeds : nil) }
            outcome.differences += before.flatMap { Self.differences($0.scores, own, $0.name, contestant.name) }
            before.append((contestant.name, own))
        }
        if let folder { try write(outcome, to: folder) }
        return outcome
    }
}
