public import Backbones
internal import Embeddings
internal import Files
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
        if let folder { try EvaluationFolder(folder).requireWritable() }
        var outcome = Outcome(results: [], differences: [], unreadable: [])
        var measurements: [Measurement] = []
        for contestant in contestants {
            progress("features of \(contestant.name)")
            contestant.encoder.move(to: device)
            let data = EvaluationData(
                train: train, test: test, extraction: extraction(of: contestant.encoder), seed: seed, cache: cache, unreadable: unreadable)
            let representation = Representation.encoder(contestant.encoder, name: contestant.name, head: contestant.head)
            let splits = try data.splits(of: representation)
            outcome.unreadable = splits.unreadable
            var found = Measurement(name: contestant.name, runs: [Score.merged(try scores(representation, splits, data))])
            // The first is the others' baseline.
            found.addRelative(to: measurements.first ?? found, protocols)
            outcome.results += found.results(seeds: seeds)
            outcome.differences += measurements.flatMap { Self.differences($0.runs[0], found.runs[0], $0.name, found.name) }
            measurements.append(found)
        }
        outcome.robustness = RobustnessTable(measurements, imageSize: contestants[0].encoder.imageSize)
        outcome.robustness?.data = dataName
        for index in outcome.results.indices { outcome.results[index].data = dataName }
        outcome.classes = measurements.flatMap { $0.classes() }
        if let folder { try write(outcome, to: folder) }
        return outcome
    }
}
