public import Backbones
public import Embeddings
public import Files
internal import Foundation
public import Torch
internal import Training
public import Views

/// How many labels an encoder saves: accuracy against the number of labels, for a linear classifier on the encoder and on a
/// random one, for the fine-tuned encoder, and for the same network from scratch with the same labels and no smaller budget
/// (`FineTuneProtocol.Baseline`).
///
/// The draws of labelled images are class-balanced, nested, and the same for all curves. Every setting is chosen on a fifth of
/// the labelled images of the draw: nobody who has twenty labels has a validation set beside them.
public struct LabelEfficiency {
    /// Labels per class; nil at the end of the curve stands for all. Beyond the largest class nothing is measured.
    public var labelsPerClass = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    public var draws = 5
    /// Ways to choose which images are labelled; each gets a curve of the encoder's linear classifier with as many labels, but not
    /// balanced by class, which nobody knows before labelling.
    public var choosers: [LabelChooser] = []
    /// Of curves that train whole networks, at every number of labels; 0 leaves them out.
    public var networkDraws = 1
    /// Of fine-tuning and of training from scratch.
    public var tuning = FineTuneProtocol()
    /// The first layer of the encoder's projector, for fine-tuning that begins there.
    public var head: ProjectionHead?
    public var secondsPerLabel = 10.0
    /// Of the labelled images, for the report.
    public var dataName: String?
    public var seed: UInt64 = 0
    public var batchSize = 128
    public var loaderThreads = 2
    public var device = Device.cpu
    /// Where features are remembered between calls; nil for nowhere.
    public var cache: FeatureCache?
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }
    /// Told the images of each pass that could not be read; of several passes the same ones.
    public var unreadable: ([UnreadableLog.Entry]) -> Void = { _ in }

    public init() {}

    /// - Parameter folder: where labels.json and labels.csv are written; nil for nowhere.
    /// - Throws: `EvaluationError`, `FeatureError`, `FileError`, in one line.
    public func callAsFunction(
        _ encoder: Encoder, name: String, train: any ImageDataset, test: any ImageDataset, folder: String?
    ) throws -> LabelCurves {
        guard train.classNames.count >= 2 else {
            throw EvaluationError("label efficiency needs labels of at least 2 classes: put each class into a folder of its own")
        }
        guard draws >= 1, networkDraws >= 0, labelsPerClass.allSatisfy({ $0 >= 1 }), secondsPerLabel > 0, secondsPerLabel.isFinite else {
            throw EvaluationError("label efficiency needs draws, labels per class and seconds per label above 0")
        }
        if networkDraws > 0 { try tuning.check(encoder, hasTest: true) }
        if let folder { try EvaluationFolder(folder).requireWritable() }
        encoder.move(to: device)
        let extraction = FeatureExtraction(imageSize: encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        let data = EvaluationData(train: train, test: test, extraction: extraction, seed: seed, cache: cache, unreadable: unreadable)
        progress("features of \(name)")
        let own = try data.splits(of: .encoder(encoder, name: name))
        let random = try Representation.random(like: encoder, seed: seed &+ 7919, calibratedOn: train, extraction)
        progress("features of a random encoder")
        let baseline = try data.splits(of: random)
        if networkDraws > 0 { try EvaluationSubject(own, random, data, seed: seed).requireKnownTestClasses() }
        let most = own.train.classCounts.max() ?? 0
        let sizes = Self.sizes(labelsPerClass, most: most)
        // The usual list is longer than most sets allow; what was asked for is not.
        let missing = labelsPerClass == LabelEfficiency().labelsPerClass ? [] : labelsPerClass.filter { $0 > most }.sorted()
        let notes =
            [EvaluationSubject(own, random, data, seed: seed).unseenClasses].compactMap(\.self)
            + missing.map { "no class has \($0) training images: the most are \(most)" }
        var found = LabelCurves(
            curves: [], savings: [], testImages: own.test!.labelled.count, secondsPerLabel: secondsPerLabel,
            notes: notes.isEmpty ? nil : notes, data: dataName)
        // After every curve, so that what was measured is kept where the rest is not waited for.
        func add(_ curve: LabelCurves.Curve) throws {
            found.curves.append(curve)
            found.savings = Self.savings(found.curves, name, secondsPerLabel: secondsPerLabel)
            if let folder { try Self.write(found, to: folder) }
        }
        try add(try curve("\(name), linear", sizes, draws, own) { rows, _ in try linear(own, rows) })
        try add(try curve("random encoder, linear", sizes, draws, baseline) { rows, _ in try linear(baseline, rows) })
        for chooser in choosers { try add(try chosenCurve(name, chooser, sizes, own)) }
        if networkDraws > 0 {
            guard let images = own.testImages else { throw EvaluationError("label efficiency needs a test split: give --test") }
            for (title, start) in [("\(name), fine-tuned", encoder), ("supervised", random.encoder!)] {
                try add(
                    try curve(title, sizes, networkDraws, own) { rows, draw in
                        progress("\(title) on \(rows.count) labels")
                        let tuning = try self.tuning.tuning(
                            of: own.train.labelled.count, seed: seed &+ UInt64(draw), extraction, fromScratch: start !== encoder)
                        return try tuning(
                            from: start, head: start === encoder ? head : nil, on: own.trainImages.subset(rows), test: images
                        ).correct
                    })
            }
        }
        return found
    }

    /// The sizes that mean something: up to the largest class, which is "all".
    static func sizes(_ wanted: [Int], most: Int) -> [Int] { Array(Set(wanted.filter { $0 < most } + [most])).sorted() }

    private func linear(_ splits: EvaluationData.Splits, _ rows: [Int]) throws -> [Bool] {
        // A draw that shows one class only leaves no choice.
        let labels = Set(rows.map { splits.train.labels[$0] })
        if labels.count == 1, let only = labels.first { return splits.test!.labelled.labels.map { $0 == only } }
        let probe = LinearProbe(.lbfgs(.init(values: LinearProbe.logarithmic(from: 1e-4, to: 1e4, count: 5))))
        return try probe.evaluate(train: splits.train.picked(rows), test: splits.test!).classification.correct()
    }

    private func curve(
        _ name: String, _ sizes: [Int], _ draws: Int, _ splits: EvaluationData.Splits,
        rows drawn: ((_ size: Int, _ draw: Int) -> [Int])? = nil,
        _ measure: (_ rows: [Int], _ draw: Int) throws -> [Bool]
    ) throws -> LabelCurves.Curve {
        progress(name)
        var points: [LabelCurves.Point] = []
        for size in sizes {
            var correct: [[Bool]] = []
            var labels = 0
            // All images are one draw.
            for draw in 0..<(size == sizes.last ? 1 : draws) {
                let rows = drawn?(size, draw) ?? LabelDraw.perClass(size, of: splits.train.labels, seed: seed &+ UInt64(draw))
                labels = rows.count
                correct.append(try measure(rows, draw))
            }
            let values = correct.map { outcome in Double(outcome.count { $0 }) / Double(outcome.count) }
            guard let single = Interval.wilson(correct[0]) else { throw EvaluationError("none of the test images has a label") }
            let interval = Interval.student(values) ?? single
            points.append(
                .init(labels: labels, value: interval.estimate, lower: max(0, interval.low), upper: min(1, interval.high), draws: values))
        }
        return .init(name: name, points: points)
    }

    /// The encoder's linear classifier on images that a chooser asked labels for. The end of the curve, all labels, is every chooser's.
    private func chosenCurve(
        _ name: String, _ chooser: LabelChooser, _ sizes: [Int], _ splits: EvaluationData.Splits
    ) throws -> LabelCurves.Curve {
        let pool = splits.train.labels.indices.filter { splits.train.labels[$0] >= 0 }
        let classes = splits.train.classCounts.count { $0 > 0 }
        let budgets = Set(sizes.map { min($0 * classes, pool.count) } + [pool.count]).sorted()
        progress("images to label, chosen by \(chooser.rawValue)")
        let chosen = try (0..<draws).map { draw in
            try chooser.choose(budgets, of: splits.train.picked(pool), seed: seed &+ UInt64(draw)).map { rows in rows.map { pool[$0] } }
        }
        return try curve("\(name), linear, \(chooser.rawValue)", budgets, draws, splits, rows: { chosen[$1][budgets.firstIndex(of: $0)!] })
        {
            rows, _ in try linear(splits, rows)
        }
    }

    /// For each number of labels of the supervised network, what each of the encoder's curves needs.
    static func savings(_ curves: [LabelCurves.Curve], _ name: String, secondsPerLabel: Double) -> [LabelCurves.Saving] {
        guard let supervised = curves.first(where: { $0.name == "supervised" }) else { return [] }
        return curves.filter { $0.name.hasPrefix("\(name), ") }.flatMap { curve in
            let needed = LabelsNeeded(curve: curve.points.map { ($0.labels, $0.draws) })
            return supervised.points.map { point in
                // Of one draw each there is nothing to draw again.
                let isSingle = point.draws.count == 1 && curve.points.allSatisfy { $0.draws.count == 1 }
                let (low, high) = isSingle ? (nil, nil) : needed.interval(point.draws)
                return LabelCurves.Saving(
                    curve: curve.name, labels: point.labels, accuracy: point.value, needed: needed(point.value), lower: low, upper: high,
                    secondsPerLabel: secondsPerLabel, isBound: needed.beginsAbove(point.value))
            }
        }
    }

    private static func write(_ found: LabelCurves, to folder: String) throws {
        try JSONFile.write(found, to: "\(folder)/labels.json")
        try AtomicFile.write(CSV.write(table(found), lineEnding: "\n"), to: "\(folder)/labels.csv")
    }

    /// A row for each point of a curve, with what the curve saves against the supervised network of as many labels.
    static func table(_ found: LabelCurves) -> [[String]] {
        func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let header = [
            "curve", "labels", "value", "lower", "upper", "draws", "supervised", "labels_needed", "labels_needed_lower",
            "labels_needed_upper", "at_most", "hours_saved", "hours_saved_lower", "hours_saved_upper", "seconds_per_label",
        ]
        return [header]
            + found.curves.flatMap { curve -> [[String]] in
                let savings = found.savings.filter { $0.curve == curve.name }
                // A curve of chosen images has other numbers of labels than the supervised network where classes are short.
                return Set(curve.points.map(\.labels) + savings.map(\.labels)).sorted().map { labels in
                    let point = curve.points.first { $0.labels == labels }
                    let saving = savings.first { $0.labels == labels }
                    let saved = [
                        text(saving?.accuracy), text(saving?.needed), text(saving?.lower), text(saving?.upper),
                        saving?.needed == nil ? "" : "\(saving?.isBound == true)", text(saving?.hoursSaved), text(saving?.hoursLower),
                        text(saving?.hoursUpper), saving == nil ? "" : "\(found.secondsPerLabel)",
                    ]
                    return [
                        curve.name, "\(labels)", text(point?.value), text(point?.lower), text(point?.upper),
                        point.map { "\($0.draws.count)" } ?? "",
                    ] + saved
                }
            }
    }
}
