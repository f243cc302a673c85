public import Backbones
internal import Embeddings
public import Files
internal import Foundation
public import Torch
internal import Training
public import Views

/// What an encoder is worth on labelled images: its protocols, and the same for a random encoder of its architecture and for
/// raw pixels, on the same split, with 95 % intervals.
///
/// Settings are chosen on the training split alone; the test split is read once. Without a test split kNN leaves one out, and
/// the linear probe is tested on a fifth of the images that it is not fitted to.
public struct Evaluator {
    public var protocols = ProtocolRegistry.standard
    /// Repetitions of whatever a protocol leaves to chance, from `seed` on.
    public var seeds = 1
    /// Initialisations of the random encoder.
    public var randomEncoders = 5
    public var seed: UInt64 = 0
    public var batchSize = 128
    public var loaderThreads = 2
    public var device = Device.cpu
    /// The first layer of the encoder's projector, for fine-tuning that begins there.
    public var head: ProjectionHead?
    /// What the images are called in the results, such as their path.
    public var dataName: String?
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }

    public init() {}

    public struct Outcome: Sendable {
        public var results: [EvaluationResult]
        public var differences: [EvaluationDifference]
        /// With several seeds: the results of each.
        public var bySeed: [EvaluationResult] = []
        public var unreadable: [String]
    }

    /// - Parameters:
    ///   - name: what to call the encoder in tables.
    ///   - folder: where results, neighbours, map and thumbnails are written; nil for nowhere.
    /// - Throws: `EvaluationError`, `FeatureError`, `FileError`.
    public func callAsFunction(
        _ encoder: Encoder, name: String, train: any ImageDataset, test: (any ImageDataset)?, folder: String?
    ) throws -> Outcome {
        try requireClasses(train)
        // Not after an hour of measuring.
        if let folder { try EvaluationFolder(folder).requireWritable() }
        encoder.move(to: device)
        let extraction = FeatureExtraction(
            imageSize: encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        let data = EvaluationData(train: train, test: test, extraction: extraction, seed: seed)

        func measured(_ representation: Representation) throws -> (runs: [[Score]], splits: EvaluationData.Splits) {
            let splits = try data.splits(of: representation)
            return (try scores(representation, splits, data), splits)
        }
        var bySeed: [EvaluationResult] = []
        func note(_ runs: [[Score]], _ name: String) {
            guard seeds > 1 else { return }
            for (index, run) in runs.enumerated() { bySeed += run.map { $0.result(name, seed: Int(seed) + index) } }
        }

        progress("features of \(name)")
        var subject = Representation.encoder(encoder, name: name, head: head)
        let findings = Findings()
        subject.findings = findings
        let (ownRuns, main) = try measured(subject)
        note(ownRuns, name)
        let own = Score.merged(ownRuns)
        var results = own.map { $0.result(name, seeds: seeds > 1 ? seeds : nil) }
        var differences: [EvaluationDifference] = []

        var random: [[Score]] = []
        for index in 0..<randomEncoders {
            progress("random encoder \(index + 1) of \(randomEncoders)")
            let baseline = try Representation.random(
                like: encoder, seed: seed &+ 7919 &* UInt64(index + 1), calibratedOn: train, extraction)
            random.append(Score.merged(try measured(baseline).runs))
        }
        if !random.isEmpty {
            results += Score.averaged(random, "random encoder")
            differences += own.compactMap { score in
                score.minus(meanOf: random.compactMap { run in run.first { $0.key == score.key } }, name, "random encoder")
            }
        }
        progress("raw pixels")
        let rawRuns = try measured(.rawPixels).runs
        note(rawRuns, "raw pixels")
        let raw = Score.merged(rawRuns)
        results += raw.map { $0.result("raw pixels", seeds: seeds > 1 ? seeds : nil) }
        differences += Self.differences(own, raw, name, "raw pixels")

        for index in results.indices { results[index].data = dataName }
        let outcome = Outcome(results: results, differences: differences, bySeed: bySeed, unreadable: main.unreadable)
        if let folder {
            progress("neighbours and map")
            try EvaluationFolder(folder).write(outcome, main, findings, subject)
        }
        return outcome
    }

    func requireClasses(_ train: any ImageDataset) throws {
        guard train.classNames.count < 2 else { return }
        throw EvaluationError(
            "evaluation needs labels of at least 2 classes, and the images have \(train.classNames.count): put each class into a "
                + "folder of its own, or give a CSV list of path,label")
    }

    /// Every protocol on one representation, under every seed; in the order of `protocols`.
    func scores(_ representation: Representation, _ splits: EvaluationData.Splits, _ data: EvaluationData) throws -> [[Score]] {
        try (0..<max(1, seeds)).map { index in
            let subject = EvaluationSubject(splits, representation, data, seed: seed &+ UInt64(index))
            return try protocols.flatMap { try $0.measure(subject) }
        }
    }

    /// One representation's scores minus those of the same name of another.
    static func differences(_ own: [Score], _ other: [Score], _ name: String, _ baseline: String) -> [EvaluationDifference] {
        own.compactMap { score in other.first { $0.key == score.key }.flatMap { score.minus($0, name, baseline) } }
    }
}
