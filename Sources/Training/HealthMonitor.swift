internal import Backbones
internal import Embeddings
internal import Files
internal import Methods
internal import Torch
internal import Views

struct HealthReport {
    /// Columns for `metrics.csv`.
    var metrics: [(name: String, value: Double?)]
    /// Online kNN accuracy, when it was measured.
    var score: Double?
    var verdict: HealthVerdict
    /// Whether all that was read is.
    var isFinite = true
}

/// Reads the representation h and the output z on fixed images after every epoch, in evaluation mode: the same images and
/// views each time, so that the curves show the network and nothing else.
final class HealthMonitor {
    private let healthImages: (any ImageDataset)?
    private let knnImages: (any ImageDataset)?
    private let views: any ViewMaker
    private let hasPairs: Bool
    private let knnEveryEpochs: Int
    private let epochs: Int
    private let extraction: FeatureExtraction

    init(_ recipe: Recipe, dataset: any ImageDataset, views: any ViewMaker, options: Trainer.Options, hasPairs: Bool) {
        let monitoring = recipe.monitoring
        func evenly(_ count: Int) -> (any ImageDataset)? {
            let count = min(count, dataset.count)
            return count < 2 ? nil : dataset.subset((0..<count).map { $0 * dataset.count / count })
        }
        healthImages = evenly(monitoring.healthImages)
        let measuresNeighbours = monitoring.knnEveryEpochs > 0 && !dataset.classNames.isEmpty
        knnImages = measuresNeighbours ? evenly(monitoring.knnImages) : nil
        knnEveryEpochs = monitoring.knnEveryEpochs
        self.views = views
        self.hasPairs = hasPairs
        epochs = recipe.training.epochs
        extraction = FeatureExtraction(
            imageSize: recipe.data.imageSize, batchSize: min(recipe.training.batchSize, 128), threads: options.loaderThreads,
            device: options.device)
    }

    /// Whether the best checkpoint is chosen by kNN accuracy; by the loss otherwise. Never by both: they cannot be compared.
    var measuresNeighbours: Bool { knnImages != nil }

    func read(_ method: any SelfSupervisedMethod, epoch: Int) throws -> HealthReport {
        var report = HealthReport(metrics: [], score: nil, verdict: HealthVerdict(status: .ok))
        try method.evaluating {
            if let healthImages { try readHealth(method, healthImages, &report) }
            if let knnImages { try readNeighbours(method, knnImages, epoch, &report) }
        }
        return report
    }

    private func readHealth(_ method: any SelfSupervisedMethod, _ images: any ImageDataset, _ report: inout HealthReport) throws {
        let width = method.encoder.outputWidth
        // h, and the targets beside it.
        let read = try extraction.views(images, views, count: hasPairs ? 2 : 1) { pixels in
            let h = method.encoder(pixels)
            return method.targets(of: pixels).map { .concatenated([h.to(.float32), $0.to(.float32)], dimension: 1) } ?? h
        }
        guard read[0].size(0) > 1 else { return }
        let (h, outcomes) = inference { (read.map { $0.narrowed(1, from: 0, count: width).contiguous() }, read[0].size(1) - width) }
        let targets = outcomes > 0 ? inference { read[0].narrowed(1, from: width, count: outcomes) } : nil
        let z = inference { h.compactMap { method.embedding($0.to(extraction.device))?.to(.float32).to(.cpu) } }
        let representation = try RepresentationHealth.measure(h[0], positives: h.count > 1 ? h[1] : nil)
        report.metrics += columns("h", representation)
        var projection: RepresentationHealth?
        if let first = z.first {
            let measured = try RepresentationHealth.measure(first, positives: z.count > 1 ? z[1] : nil)
            report.metrics += columns("z", measured)
            projection = measured
        }
        // What is not finite is told by the measures of h and z.
        let use = try targets.flatMap { $0.isFinite().all().item == 1 ? try TargetUse($0) : nil }
        if let use { report.metrics += [("targets.entropy", use.meanEntropy), ("targets.marginal_entropy", use.entropyOfMean)] }
        let card = type(of: method).card
        let found = Collapse.diagnose(
            representation: representation, projection: projection, targets: use, hasScale: card.hasScale, remedy: card.remedy)
        report.verdict = Self.verdict(found)
        report.isFinite = found.kind != .notFinite
    }

    /// A projection may lose what the representation keeps: of it, less than a collapse is a warning.
    private static func verdict(_ collapse: Collapse) -> HealthVerdict {
        switch (collapse.kind, collapse.place) {
        case (.none, _): HealthVerdict(status: .ok, messages: [collapse.explanation])
        case (.dimensional, .projection): HealthVerdict(status: .warning, messages: [collapse.explanation])
        default: HealthVerdict(status: .collapsed, messages: [collapse.explanation])
        }
    }

    private func columns(_ prefix: String, _ health: RepresentationHealth) -> [(name: String, value: Double?)] {
        var columns: [(name: String, value: Double?)] = [
            ("\(prefix).std", health.normalizedDeviation), ("\(prefix).rank", health.rankMe),
            ("\(prefix).uniformity", health.uniformity),
        ]
        if let alignment = health.alignment { columns.insert(("\(prefix).alignment", alignment), at: 2) }
        return columns
    }

    private func readNeighbours(
        _ method: any SelfSupervisedMethod, _ images: any ImageDataset, _ epoch: Int, _ report: inout HealthReport
    ) throws {
        report.metrics.append(("knn", nil))
        guard (epoch + 1).isMultiple(of: knnEveryEpochs) || epoch + 1 == epochs else { return }
        let found = try extraction(images) { method.encoder($0) }
        // A network that has diverged has no neighbours; whether the run goes on is not decided here.
        guard found.rows.isFinite().all().item == 1 else { return }
        let features = Features(matrix: found.rows, labels: found.labels, classNames: images.classNames)
        guard features.labelled.count > 1 else { return }
        let accuracy = try NearestNeighbourClassifier().leaveOneOut(features).classification.top1?.estimate
        report.metrics[report.metrics.count - 1].value = accuracy
        report.score = accuracy
    }
}
