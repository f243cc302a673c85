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
    public var protocols: [EvaluationProtocol] = EvaluationProtocol.allCases
    /// Initialisations of the random encoder.
    public var randomEncoders = 5
    public var seed: UInt64 = 0
    public var batchSize = 128
    public var loaderThreads = 2
    public var device = Device.cpu
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }

    public init() {}

    public struct Outcome: Sendable {
        public var results: [EvaluationResult]
        public var differences: [EvaluationDifference]
        public var unreadable: [String]
    }

    /// - Parameters:
    ///   - name: what to call the encoder in tables.
    ///   - folder: where results, neighbours, map and thumbnails are written; nil for nowhere.
    /// - Throws: `EvaluationError`, `FeatureError`, `FileError`.
    public func callAsFunction(
        _ encoder: Encoder, name: String, train: any ImageDataset, test: (any ImageDataset)?, folder: String?
    ) throws -> Outcome {
        guard train.classNames.count >= 2 else {
            throw EvaluationError(
                "evaluation needs labels of at least 2 classes, and the images have \(train.classNames.count): put each class into a "
                    + "folder of its own, or give a CSV list of path,label")
        }
        encoder.move(to: device)
        let extraction = FeatureExtraction(
            imageSize: encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        let data = EvaluationData(train: train, test: test, extraction: extraction, seed: seed)

        progress("features of \(name)")
        let main = try data.splits(of: .encoder(encoder, name: name))
        let own = try scores(main)
        var results = own.map { $0.result(name, seeds: nil) }
        var differences: [EvaluationDifference] = []

        var random: [[Score]] = []
        for index in 0..<randomEncoders {
            progress("random encoder \(index + 1) of \(randomEncoders)")
            let baseline = try Representation.random(
                like: encoder, seed: seed &+ 7919 &* UInt64(index + 1), calibratedOn: train, extraction)
            random.append(try scores(data.splits(of: baseline)))
        }
        if !random.isEmpty {
            results += Score.averaged(random, "random encoder")
            // Paired with the initialisation of median accuracy.
            differences += own.indices.map { place in
                let byAccuracy = random.map { $0[place] }.sorted { $0.accuracy.estimate < $1.accuracy.estimate }
                return own[place].minus(byAccuracy[byAccuracy.count / 2], name, "random encoder")
            }
        }
        progress("raw pixels")
        let raw = try scores(data.splits(of: .rawPixels))
        results += raw.map { $0.result("raw pixels", seeds: nil) }
        differences += zip(own, raw).map { $0.minus($1, name, "raw pixels") }

        let outcome = Outcome(results: results, differences: differences, unreadable: main.unreadable)
        if let folder {
            progress("neighbours and map")
            try EvaluationFolder(folder).write(outcome, main)
        }
        return outcome
    }

    /// Every protocol on one representation, in the order of `protocols`.
    private func scores(_ splits: EvaluationData.Splits) throws -> [Score] {
        try protocols.flatMap { kind -> [Score] in
            switch kind {
            case .knn:
                let classifier = NearestNeighbourClassifier()
                let outcome =
                    try splits.test.map { try classifier.evaluate(train: splits.train, test: $0) } ?? classifier.leaveOneOut(splits.train)
                return Score.both(
                    kind, "k=\(outcome.neighbours)", splits.test == nil ? "leave-one-out" : "test", outcome.classification,
                    trainImages: splits.train.labelled.count)
            case .linear:
                let (fitted, tested) = try splits.test.map { (splits.train, $0) } ?? splits.train.dividedForTest(seed: seed)
                let outcome = try LinearProbe().evaluate(train: fitted, test: tested)
                return Score.both(
                    kind, String(format: "λ=%.0e", outcome.fit.final.value), splits.test == nil ? "held-out fifth" : "test",
                    outcome.classification, trainImages: fitted.labelled.count)
            }
        }
    }
}
