public import Backbones
internal import Embeddings
public import Files
internal import Foundation
public import Methods
public import Torch
public import Training
public import Views

/// What a representation is worth, as far as that can be told without labels.
public enum QualityMeasure: String, CaseIterable, Sendable, Codable {
    /// Effective rank (Garrido et al. 2023).
    case rankme
    /// α of the spectrum (Agrawal et al. 2022); best near 1.
    case alphareq
    /// Effective rank between images against within their views (Thilak et al. 2024).
    case lidar
    /// Of positive pairs (Wang and Isola 2020); lower is better, as long as uniformity holds.
    case alignment
    /// On the sphere (Wang and Isola 2020); lower is better.
    case uniformity
    /// The share of images one view of which is nearest to another view of the same image.
    case consistency

    /// Turned so that more is better.
    public func merit(_ value: Double) -> Double {
        switch self {
        case .rankme, .lidar, .consistency: value
        case .alignment, .uniformity: -value
        case .alphareq: -abs(value - 1)
        }
    }

    var needsViews: Bool { self != .rankme && self != .alphareq && self != .uniformity }
}

/// Measures representations without labels: on a sample of images, with the same views for every encoder.
public struct LabelFreeQuality {
    public var measures = QualityMeasure.allCases
    /// At most so many images, evenly from all.
    public var images = 1000
    /// Views of each image for LiDAR; alignment and consistency take the first two.
    public var views = 10
    public var seed: UInt64 = 0
    public var batchSize = 128
    public var loaderThreads = 2
    public var device = Device.cpu
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }
    /// Told the images of each pass that could not be read; of several passes the same ones.
    public var unreadable: ([UnreadableLog.Entry]) -> Void = { _ in }

    public init() {}

    /// - Parameter maker: how an image becomes a view; of several outputs the first is taken.
    /// - Returns: by measure; without those that cannot be computed, such as α of a spectrum of few eigenvalues.
    /// - Throws: `EvaluationError`, `FeatureError`, `TrainingError`.
    public func callAsFunction(
        _ encoder: Encoder, _ dataset: any ImageDataset, views maker: any ViewMaker
    ) throws -> [QualityMeasure: Double] {
        guard images >= 2, views >= 2 else { throw EvaluationError("quality needs at least 2 images and 2 views") }
        encoder.move(to: device)
        let count = min(images, dataset.count)
        let sample = dataset.subset((0..<count).map { $0 * dataset.count / count })
        let extraction = FeatureExtraction(imageSize: encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        return try encoder.evaluating {
            let read = try extraction(sample) { encoder($0) }
            unreadable(read.unreadable)
            let clean = read.rows
            guard clean.size(0) >= 2 else { throw EvaluationError("quality needs at least 2 images that can be read") }
            var drawn: [Tensor] = []
            if measures.contains(where: \.needsViews) {
                for view in 0..<(measures.contains(.lidar) ? views : 2) {
                    drawn.append(try extraction(sample, views: maker, seed: seed &+ UInt64(view)) { encoder($0) }.rows)
                }
            }
            var found: [QualityMeasure: Double] = [:]
            for measure in measures { found[measure] = try value(measure, clean, drawn) }
            return found.filter { $0.value.isFinite }
        }
    }

    private func value(_ measure: QualityMeasure, _ clean: Tensor, _ drawn: [Tensor]) throws -> Double? {
        switch measure {
        case .rankme: return try EffectiveRank.rankMe(clean)
        case .alphareq: return try AlphaReQ.measure(clean)
        case .lidar: return try LiDAR.measure(drawn)
        case .alignment: return try Sphere.alignment(drawn[0], drawn[1])
        case .uniformity: return try Sphere.uniformity(clean)
        case .consistency:
            let nearest = NearestNeighbours.find(1, of: drawn[0], in: drawn[1]).indices.ints
            return Double(nearest.enumerated().count { $0.offset == $0.element }) / Double(nearest.count)
        }
    }

    /// How the run's method sees images, when it sees whole ones; SimCLR's views otherwise.
    public static func views(of recipe: Recipe, methods: MethodRegistry = .standard) throws -> any ViewMaker {
        let size = ImageSize(recipe.data.imageSize)
        let entry = try methods.entry(named: recipe.method.name)
        let own = try recipe.views ?? entry.views(recipe.method.settings, imageSize: recipe.data.imageSize)
        let whole = own.outputs.filter { $0.imageSize == size }
        return whole.count >= 2 && own.outputs[0].imageSize == size ? own : try ViewRecipe.simCLR(size: size)
    }

    /// The checkpoints that a run kept, by epoch: `epoch-N`, and the finished encoder or `last`.
    static func checkpoints(_ folder: RunFolder, _ recipe: Recipe) -> [(name: String, epoch: Int)] {
        var found = folder.checkpoints.compactMap { name -> (name: String, epoch: Int)? in
            name.hasPrefix("epoch-") ? Int(name.dropFirst("epoch-".count)).map { (name, $0) } : nil
        }
        if folder.checkpoints.contains("last"), !found.contains(where: { $0.epoch == recipe.training.epochs }) {
            found.append(("last", recipe.training.epochs))
        }
        return found.sorted { $0.epoch < $1.epoch }
    }

    /// Every checkpoint of a run.
    /// - Parameters:
    ///   - dataset: images without labels, such as those that it was trained on.
    ///   - accuracy: measures a checkpoint's encoder with labels; nil to go without.
    /// - Throws: `EvaluationError` when the run kept fewer than two checkpoints.
    public func checkpoints(
        of folder: RunFolder, on dataset: any ImageDataset, methods: MethodRegistry = .standard,
        accuracy: ((Encoder) throws -> EvaluationResult)? = nil
    ) throws -> QualityTable {
        let recipe = try RecipeFile(methods: methods).read(folder.recipe)
        let found = Self.checkpoints(folder, recipe)
        guard found.count >= 2 else {
            throw EvaluationError(
                "\(folder.path) kept \(found.count) of its checkpoints: train with --keep-every 10, or so, to have several to compare")
        }
        let maker = try Self.views(of: recipe, methods: methods)
        var rows: [QualityTable.Row] = []
        for (name, epoch) in found {
            progress("checkpoint \(name)")
            let encoder = try folder.encoderOfCheckpoint(name, methods: methods)
            let values = try self(encoder, dataset, views: maker)
            let result = try accuracy?(encoder)
            rows.append(
                .init(
                    checkpoint: name, epoch: epoch, values: Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) }),
                    accuracy: result?.value, lower: result?.lower, upper: result?.upper))
        }
        return Self.table(rows, measures, images: min(images, dataset.count), views: views)
    }

    static func table(_ rows: [QualityTable.Row], _ measures: [QualityMeasure], images: Int, views: Int) -> QualityTable {
        var table = QualityTable(
            measures: measures.map(\.rawValue), rows: rows, rankCorrelations: [:], choices: [:], images: images, views: views)
        for measure in measures {
            let known = rows.filter { $0.values[measure.rawValue] != nil }
            func merit(_ row: QualityTable.Row) -> Double { measure.merit(row.values[measure.rawValue]!) }
            // Of equally good checkpoints the later one, which has seen more.
            table.choices[measure.rawValue] = known.max { (merit($0), $0.epoch) < (merit($1), $1.epoch) }?.checkpoint
            let both = known.filter { $0.accuracy != nil }
            table.rankCorrelations[measure.rawValue] = RankCorrelation.spearman(both.map(merit), both.map { $0.accuracy! })
        }
        return table
    }

    /// Writes `quality.json` and `quality.csv`.
    public static func write(_ table: QualityTable, to folder: String) throws {
        try JSONFile.write(table, to: "\(folder)/quality.json")
        var lines = [["checkpoint", "epoch"] + table.measures + ["linear_accuracy", "lower", "upper"]]
        lines += table.rows.map { row in
            let values = table.measures.map { row.values[$0] } + [row.accuracy, row.lower, row.upper]
            return [row.checkpoint, "\(row.epoch)"] + values.map { $0.map { "\($0)" } ?? "" }
        }
        try AtomicFile.write(CSV.write(lines, lineEnding: "\n"), to: "\(folder)/quality.csv")
    }
}
