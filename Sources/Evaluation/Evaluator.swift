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
    /// Where features and baselines' scores are remembered between calls; nil for nowhere.
    public var cache: FeatureCache?
    /// Whose errors the errors of others are divided by (mCE).
    public var errorBaseline = ErrorBaseline.random
    /// The first layer of the encoder's projector, for fine-tuning that begins there.
    public var head: ProjectionHead?
    /// What the images are called in the results, such as their path.
    public var dataName: String?
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }
    /// Told the images of each pass that could not be read; of several passes the same ones.
    public var unreadable: ([UnreadableLog.Entry]) -> Void = { _ in }

    public init() {}

    public enum ErrorBaseline {
        /// The random encoders, or raw pixels when there are none.
        case random
        case rawPixels
        case encoder(Contestant)
    }

    public struct Outcome: Sendable {
        public var results: [EvaluationResult]
        public var differences: [EvaluationDifference]
        /// With several seeds: the results of each.
        public var bySeed: [EvaluationResult] = []
        public var unreadable: [String]
        /// Where it was measured: accuracy by corruption and severity.
        public var robustness: RobustnessTable?
        /// Numbers of single classes, such as the purity of each.
        public var classes: [EvaluationResult] = []
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
        for measured in protocols { try measured.check(encoder, hasTest: test != nil) }
        encoder.move(to: device)
        let extraction = extraction(of: encoder)
        let data = EvaluationData(train: train, test: test, extraction: extraction, seed: seed, cache: cache, unreadable: unreadable)

        let remembered = try cache.flatMap { try BaselineScores($0, data) }
        var bySeed: [EvaluationResult] = []
        func note(_ runs: [[Score]], _ name: String) {
            guard seeds > 1 else { return }
            for (index, run) in runs.enumerated() {
                bySeed += run.filter { $0.detail == nil }.map { $0.result(name, seed: Int(clamping: seed &+ UInt64(index))) }
            }
        }

        progress("features of \(name)")
        var subject = Representation.encoder(encoder, name: name, head: head)
        let findings = Findings()
        subject.findings = findings
        let main = try data.splits(of: subject)
        let ownRuns = try scores(subject, main, data)
        note(ownRuns, name)
        var measurements = [Measurement(name: name, runs: [Score.merged(ownRuns)])]

        var random: [[Score]] = []
        for index in 0..<randomEncoders {
            progress("random encoder \(index + 1) of \(randomEncoders)")
            let start = seed &+ 7919 &* UInt64(index + 1)
            let identity = "random encoder \(start) \(encoder.settings) \(encoder.input) \(encoder.imageSize)"
            let runs = try baselineScores(identity, remembered, data) {
                try .random(like: encoder, seed: start, calibratedOn: train, extraction)
            }
            random.append(Score.merged(runs))
        }
        if !random.isEmpty { measurements.append(Measurement(name: "random encoder", runs: random)) }
        progress("raw pixels")
        let rawRuns = try baselineScores("raw pixels", remembered, data) { .rawPixels }
        note(rawRuns, "raw pixels")
        measurements.append(Measurement(name: "raw pixels", runs: [Score.merged(rawRuns)]))

        var baseline = measurements[1]
        switch errorBaseline {
        case .random: break
        case .rawPixels: baseline = measurements[measurements.count - 1]
        case .encoder(let contestant):
            guard hasRelativeScores else { break }
            progress("features of \(contestant.name)")
            contestant.encoder.move(to: device)
            let other = Representation.encoder(contestant.encoder, name: contestant.name)
            let runs = try scores(other, data.splits(of: other), data)
            baseline = Measurement(name: contestant.name, runs: [Score.merged(runs)])
            measurements.append(baseline)
        }
        for index in measurements.indices { measurements[index].addRelative(to: baseline, protocols) }

        let own = measurements[0].runs[0]
        var results: [EvaluationResult] = []
        var differences: [EvaluationDifference] = []
        for (place, measurement) in measurements.enumerated() {
            results += measurement.results(seeds: seeds)
            guard place > 0 else { continue }
            differences += own.filter { $0.detail == nil }.compactMap { score in
                let others = measurement.runs.compactMap { run in run.first { $0.key == score.key } }
                return others.count > 1 || measurement.isRandom
                    ? score.minus(meanOf: others, name, measurement.name)
                    : others.first.flatMap { score.minus($0, name, measurement.name) }
            }
        }

        for index in results.indices { results[index].data = dataName }
        var outcome = Outcome(
            results: results, differences: differences, bySeed: bySeed, unreadable: main.unreadable,
            robustness: RobustnessTable(measurements, imageSize: encoder.imageSize), classes: measurements.flatMap { $0.classes() })
        outcome.robustness?.data = dataName
        if let folder {
            progress("neighbours and map")
            try EvaluationFolder(folder).write(outcome, main, findings, subject)
        }
        return outcome
    }

    func extraction(of encoder: Encoder) -> FeatureExtraction {
        FeatureExtraction(imageSize: encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
    }

    private var hasRelativeScores: Bool { protocols.contains { $0 is RobustnessProtocol } }

    /// - Throws: `EvaluationError` for images without two classes.
    public func requireClasses(_ train: any ImageDataset) throws {
        guard train.classNames.count < 2 else { return }
        throw EvaluationError(
            "evaluation needs labels of at least 2 classes, and the images have \(train.classNames.count): put each class into a "
                + "folder of its own, or give a CSV list of path,label")
    }

    /// The protocols on one encoder alone, without baselines.
    public func measure(
        _ encoder: Encoder, name: String = "encoder", train: any ImageDataset, test: (any ImageDataset)?
    ) throws -> [EvaluationResult] {
        try requireClasses(train)
        encoder.move(to: device)
        let data = EvaluationData(
            train: train, test: test, extraction: extraction(of: encoder), seed: seed, cache: cache, unreadable: unreadable)
        let representation = Representation.encoder(encoder, name: name)
        let found = Measurement(name: name, runs: [Score.merged(try scores(representation, data.splits(of: representation), data))])
        return found.results(seeds: seeds)
    }

    /// Every protocol on one representation, under every seed; in the order of `protocols`.
    func scores(_ representation: Representation, _ splits: EvaluationData.Splits, _ data: EvaluationData) throws -> [[Score]] {
        try (0..<max(1, seeds)).map { index in
            let subject = EvaluationSubject(splits, representation, data, seed: seed &+ UInt64(index))
            return try protocols.flatMap { try Self.noted($0.measure(subject), subject) }
        }
    }

    /// As `scores`, of what was not measured before.
    private func baselineScores(
        _ identity: String, _ remembered: BaselineScores?, _ data: EvaluationData, _ made: () throws -> Representation
    ) throws -> [[Score]] {
        var found: (representation: Representation, splits: EvaluationData.Splits)?
        return try (0..<max(1, seeds)).map { index in
            let seed = seed &+ UInt64(index)
            return try protocols.flatMap { one in
                let path = try remembered?.path(of: identity, one, seed: seed)
                if let path, let known = remembered?.read(path) { return known }
                if found == nil {
                    let representation = try made()
                    found = (representation, try data.splits(of: representation))
                }
                let subject = EvaluationSubject(found!.splits, found!.representation, data, seed: seed)
                let scores = try Self.noted(one.measure(subject), subject)
                if let path { remembered?.write(scores, to: path) }
                return scores
            }
        }
    }

    private static func noted(_ scores: [Score], _ subject: EvaluationSubject) -> [Score] {
        let unseen = subject.unseenClasses
        return scores.map { score in
            var score = score
            let notes = [score.note, score.unit != .none ? unseen : nil, score.detail == nil ? score.fewImages : nil].compactMap(\.self)
            score.note = notes.isEmpty ? nil : notes.joined(separator: "; ")
            return score
        }
    }

    /// One representation's scores minus those of the same name of another.
    static func differences(_ own: [Score], _ other: [Score], _ name: String, _ baseline: String) -> [EvaluationDifference] {
        own.filter { $0.detail == nil }.compactMap { score in
            other.first { $0.key == score.key }.flatMap { score.minus($0, name, baseline) }
        }
    }
}
