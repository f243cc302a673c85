internal import Embeddings
public import Files
internal import Torch
internal import Training
public import Views

extension Evaluator {
    /// One of several labelled data sets.
    public struct TransferSet {
        public var name: String
        public var train: any ImageDataset
        /// nil to hold a fifth of each class out.
        public var test: (any ImageDataset)?
        public var metric: TransferProtocol.Metric

        /// - Parameter metric: nil for what the 12-data-set protocol uses for a set of that name.
        public init(_ name: String, train: any ImageDataset, test: (any ImageDataset)?, metric: TransferProtocol.Metric? = nil) {
            self.name = name
            self.train = train
            self.test = test
            self.metric = metric ?? TransferProtocol.Metric(dataset: name)
        }
    }

    public struct TransferOutcome {
        public var table: TransferTable
        /// Between the first encoder and every other row of its block, per data set.
        public var differences: [EvaluationDifference]
        /// Of each set by name, those that could not be read.
        public var unreadable: [String: [String]]
    }

    /// Encoders on several data sets (SimCLR's table 8): linear, fine-tuned, and the same from random weights.
    /// - Parameters:
    ///   - settings: its metric is that of each set.
    ///   - folder: where the table is written; nil for nowhere.
    /// - Throws: `EvaluationError`, `FeatureError`, `FileError`; what is wrong with a data set names it.
    public func transfer(
        _ contestants: [Contestant], to sets: [TransferSet], settings: TransferProtocol = TransferProtocol(), folder: String?
    ) throws -> TransferOutcome {
        let names = contestants.map(\.name) + ["random init"]
        guard !contestants.isEmpty, Set(names).count == names.count else {
            throw EvaluationError("transfer needs encoders of different names, none of them called 'random init'")
        }
        guard !sets.isEmpty, Set(sets.map(\.name)).count == sets.count else {
            throw EvaluationError("transfer needs data sets of different names")
        }
        for set in sets { try requireClasses(set) }
        if let folder { try EvaluationFolder(folder).requireWritable() }
        // [set][encoder]
        var found: [[[EvaluationResult]]] = []
        var outcome = TransferOutcome(table: TransferTable(sets: [], rows: []), differences: [], unreadable: [:])
        for set in sets {
            do {
                let (results, described) = try measure(contestants, on: set, settings, &outcome)
                found.append(results)
                outcome.table.sets.append(described)
            } catch let error as EvaluationError {
                throw EvaluationError("\(set.name): \(error)")
            } catch let error as FeatureError {
                throw EvaluationError("\(set.name): \(error)")
            }
        }
        for block in ["linear", "fine-tuned"] where block == "linear" || settings.finetunes {
            for place in names.indices where randomEncoders > 0 || place < contestants.count {
                let cells = found.map { results in results[place].first { $0.metric.hasPrefix(block) } }
                outcome.table.rows.append(.init(block: block, encoder: names[place], cells: cells))
            }
        }
        if let folder { try EvaluationFolder(folder).write(outcome.table, outcome.differences) }
        return outcome
    }

    private func requireClasses(_ set: TransferSet) throws {
        do { try requireClasses(set.train) } catch let error as EvaluationError { throw EvaluationError("\(set.name): \(error)") }
    }

    /// Of each encoder, and last of random ones, the results on one set.
    private func measure(
        _ contestants: [Contestant], on set: TransferSet, _ settings: TransferProtocol, _ outcome: inout TransferOutcome
    ) throws -> ([[EvaluationResult]], TransferTable.DataSet) {
        var evaluator = self
        var settings = settings
        settings.metric = set.metric
        evaluator.protocols = [settings]
        let (train, test, split) = try divided(set)
        var results: [[EvaluationResult]] = []
        var first: [Score] = []
        // Of several sets an image is known by its set's name.
        let told: ([UnreadableLog.Entry]) -> Void = { entries in
            unreadable(entries.map { .init(index: $0.index, name: "\(set.name)/\($0.name)", reason: $0.reason) })
        }
        var described = TransferTable.DataSet(
            name: set.name, metric: set.metric.rawValue, classes: train.classNames.count, trainImages: train.count,
            testImages: test.count, split: split)
        func named(_ rows: [EvaluationResult]) -> [EvaluationResult] {
            rows.map { row in
                var row = row
                (row.data, row.split) = (set.name, split)
                return row
            }
        }
        for contestant in contestants {
            progress("\(contestant.name) on \(set.name)")
            contestant.encoder.move(to: device)
            let data = EvaluationData(
                train: train, test: test, extraction: extraction(of: contestant.encoder), seed: seed, cache: cache, unreadable: told)
            let representation = Representation.encoder(contestant.encoder, name: contestant.name)
            let splits = try data.splits(of: representation)
            if !splits.unreadable.isEmpty { outcome.unreadable[set.name] = splits.unreadable }
            (described.trainImages, described.testImages) = (splits.train.labelled.count, splits.test?.labelled.count ?? 0)
            let scores = Score.merged(try evaluator.scores(representation, splits, data))
            if first.isEmpty {
                first = scores
            } else {
                outcome.differences += Self.differences(first, scores, contestants[0].name, contestant.name).map { difference in
                    var difference = difference
                    difference.metric = "\(difference.metric), \(set.name)"
                    return difference
                }
            }
            results.append(named(scores.map { $0.result(contestant.name, seeds: seeds > 1 ? seeds : nil) }))
        }
        var runs: [[Score]] = []
        for index in 0..<randomEncoders {
            progress("random init \(index + 1) of \(randomEncoders) on \(set.name)")
            let encoder = contestants[0].encoder
            let extraction = extraction(of: encoder)
            let data = EvaluationData(
                train: train, test: test, extraction: extraction, seed: seed, cache: cache, unreadable: told)
            let random = try Representation.random(
                like: encoder, seed: seed &+ 7919 &* UInt64(index + 1), calibratedOn: train, extraction)
            runs.append(Score.merged(try evaluator.scores(random, data.splits(of: random), data)))
        }
        if !runs.isEmpty {
            results.append(named(Score.averaged(runs, "random init")))
            for score in first {
                let others = runs.compactMap { run in run.first { $0.key == score.key } }
                guard var difference = score.minus(meanOf: others, contestants[0].name, "random init") else { continue }
                difference.metric = "\(difference.metric), \(set.name)"
                outcome.differences.append(difference)
            }
        }
        return (results, described)
    }

    /// A set without a test split is divided, the same for all encoders.
    private func divided(_ set: TransferSet) throws -> (train: any ImageDataset, test: any ImageDataset, split: String) {
        if let test = set.test { return (set.train, test, "test") }
        let known = (0..<set.train.count).filter { set.train.label(at: $0) != nil }
        let (fit, held) = HoldOut.stratified(known.map { set.train.label(at: $0)! }, share: 0.2, seed: seed)
        guard !held.isEmpty else { throw EvaluationError("no class has two labelled images: there is nothing to test on") }
        return (set.train.subset(fit.map { known[$0] }), set.train.subset(held.map { known[$0] }), "held-out fifth")
    }
}
