internal import Embeddings
internal import Files
internal import Foundation
internal import Torch
internal import Views

/// `evaluation/` of a run folder: results as JSON and CSV, and what the report shows of them.
struct EvaluationFolder {
    let path: String
    private static let queries = 8
    private static let neighboursShown = 8
    private static let mapPoints = 1000
    private static let mapThumbnails = 400
    private static let thumbnailSide = 64

    init(_ path: String) { self.path = path }

    /// Makes the folder, and sees that files can be written there.
    func requireWritable() throws {
        let probe = "\(path)/.writable"
        try AtomicFile.write("", to: probe)
        try? FileManager.default.removeItem(atPath: probe)
    }

    func write(
        _ outcome: Evaluator.Outcome, _ splits: EvaluationData.Splits, _ findings: Findings, _ representation: Representation
    ) throws {
        try writeResults(outcome)
        if !outcome.bySeed.isEmpty { try writeTable(outcome.bySeed, "seeds") }
        try writeNeighbours(splits)
        try writeMap(splits)
        try writeMistakes(findings, splits, representation, side: Self.thumbnailSide, of: outcome.results.first?.data)
    }

    /// What an earlier evaluation left and this one may not replace: it would stand beside results of other images.
    private func removeEarlier() throws {
        for name in [
            "robustness.json", "robustness.csv", "classes.json", "classes.csv", "seeds.json", "seeds.csv", "mistakes.json",
            "neighbours.json", "map.json",
        ]
        where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }

    /// Results alone, such as those of several encoders.
    func writeResults(_ outcome: Evaluator.Outcome) throws {
        try removeEarlier()
        try writeTable(outcome.results, "results")
        try JSONFile.write(outcome.differences, to: "\(path)/differences.json")
        if let table = outcome.robustness { try write(table) }
        if !outcome.classes.isEmpty { try writeTable(outcome.classes, "classes") }
    }

    /// A row for each encoder, classifier, corruption and severity; severity 0 is clean.
    private func write(_ table: RobustnessTable) throws {
        try JSONFile.write(table, to: "\(path)/robustness.json")
        var rows = [["encoder", "classifier", "corruption", "family", "comparable", "severity", "accuracy"]]
        rows += table.clean.map { [$0.encoder, $0.classifier, "none", "", "true", "0", "\($0.accuracy)"] }
        for row in table.rows {
            rows += zip(table.severities, row.accuracies).map { severity, accuracy in
                [row.encoder, row.classifier, row.corruption, row.family, "\(row.isComparable)", "\(severity)", "\(accuracy)"]
            }
        }
        try AtomicFile.write(CSV.write(rows, lineEnding: "\n"), to: "\(path)/robustness.csv")
    }

    /// A row for each encoder, block and data set.
    func write(_ table: TransferTable, _ differences: [EvaluationDifference]) throws {
        try JSONFile.write(table, to: "\(path)/transfer.json")
        try JSONFile.write(differences, to: "\(path)/transfer-differences.json")
        try writeTable(table.rows.flatMap { $0.cells.compactMap { $0 } }, "transfer-results")
    }

    private func writeTable(_ results: [EvaluationResult], _ name: String) throws {
        try JSONFile.write(results, to: "\(path)/\(name).json")
        var rows = [
            [
                "encoder", "protocol", "setting", "split", "metric", "value", "lower", "upper", "train_images", "test_images", "seeds",
                "seed", "note", "data",
            ]
        ]
        rows += results.map { row in
            func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }
            return [
                row.encoder, row.protocolName, text(row.setting), text(row.split), row.metric, text(row.value), text(row.lower),
                text(row.upper), text(row.trainImages), text(row.testImages), text(row.seeds), text(row.seed),
                text(row.note), text(row.data),
            ]
        }
        try AtomicFile.write(CSV.write(rows, lineEnding: "\n"), to: "\(path)/\(name).csv")
    }

    /// Test images spread over the classes, with the training images nearest to them.
    private func writeNeighbours(_ splits: EvaluationData.Splits) throws {
        let (queries, images) = (splits.test ?? splits.train, splits.testImages ?? splits.trainImages)
        let chosen = spread(queries, Self.queries)
        guard !chosen.isEmpty, splits.train.count > 1 else { return }
        // One more, because without a test split the first is the image itself.
        let found = NearestNeighbours.find(
            min(Self.neighboursShown + 1, splits.train.count), of: queries.matrix.rows(Tensor(chosen)), in: splits.train.matrix, by: .cosine
        )
        let indices = found.indices.ints
        let similarities = found.values.doubles
        let width = found.indices.size(1)
        var rows: [NeighbourSheet.Row] = []
        for (position, row) in chosen.enumerated() {
            let query = NeighbourSheet.Picture(
                image: try thumbnail(images, row, "query-\(position)"), label: label(queries, row))
            var neighbours: [NeighbourSheet.Neighbour] = []
            for rank in 0..<width where neighbours.count < Self.neighboursShown {
                let place = indices[position * width + rank]
                if splits.test == nil, place == row { continue }
                neighbours.append(
                    .init(
                        image: try thumbnail(splits.trainImages, place, "neighbour-\(position)-\(rank)"),
                        label: label(splits.train, place), similarity: similarities[position * width + rank]))
            }
            rows.append(.init(query: query, neighbours: neighbours))
        }
        try JSONFile.write(NeighbourSheet(rows: rows), to: "\(path)/neighbours.json")
    }

    /// The images in the plane of their first two principal components, and by t-SNE and UMAP of the same unit-length
    /// features.
    private func writeMap(_ splits: EvaluationData.Splits) throws {
        let (features, images) = (splits.test ?? splits.train, splits.testImages ?? splits.trainImages)
        guard features.count >= 3, features.width >= 2 else { return }
        let shown = evenly(features.count, Self.mapPoints)
        let thumbnails = Set(evenly(shown.count, Self.mapThumbnails))
        let unit = features.matrix.rows(Tensor(shown)).normalized()
        let places = try PCA.map(unit).doubles
        var points: [EmbeddingMap.Point] = []
        for (position, row) in shown.enumerated() {
            let image = thumbnails.contains(position) ? try thumbnail(images, row, "map-\(position)") : nil
            points.append(.init(x: places[2 * position], y: places[2 * position + 1], label: label(features, row), image: image))
        }
        var others: [EmbeddingMap.Projection] = []
        // Of fewer rows there are no neighbourhoods.
        if shown.count >= 8 { others = [projection("t-SNE", try TSNE().map(unit)), projection("UMAP", try UMAP().map(unit))] }
        try JSONFile.write(
            EmbeddingMap(method: "PCA", points: points, others: others.isEmpty ? nil : others, classes: features.classNames),
            to: "\(path)/map.json")
    }

    private func projection(_ method: String, _ places: Tensor) -> EmbeddingMap.Projection {
        func column(_ index: Int) -> [Double] { places.selected(1, index).contiguous().doubles }
        return EmbeddingMap.Projection(method: method, x: column(0), y: column(1))
    }

    private func label(_ features: Features, _ row: Int) -> String? {
        features.labels[row] >= 0 ? features.classNames[features.labels[row]] : nil
    }

    /// Rows that take turns through the classes.
    private func spread(_ features: Features, _ count: Int) -> [Int] {
        var byClass = [[Int]](repeating: [], count: features.classNames.count)
        for (row, label) in features.labels.enumerated() where label >= 0 { byClass[label].append(row) }
        byClass.removeAll(where: \.isEmpty)
        var chosen: [Int] = []
        var turn = 0
        while chosen.count < count, byClass.contains(where: { $0.count > turn }) {
            for rows in byClass where turn < rows.count && chosen.count < count { chosen.append(rows[turn]) }
            turn += 1
        }
        return chosen
    }

    private func evenly(_ total: Int, _ count: Int) -> [Int] {
        let count = min(total, count)
        return (0..<count).map { $0 * total / count }
    }

    private func thumbnail(_ images: any ImageDataset, _ row: Int, _ name: String) throws -> String {
        let file = "thumbnails/\(name).png"
        let image = try images.image(at: row, coveringAtLeast: Self.thumbnailSide)
        try AtomicFile.write(ImageEncoder.png(image.thumbnail(Self.thumbnailSide)), to: "\(path)/\(file)")
        return file
    }
}
