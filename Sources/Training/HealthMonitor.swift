internal import Embeddings
internal import Methods
internal import Torch
internal import Views

/// What an epoch's look at the representation found, for `health.json`.
struct HealthVerdict: Encodable {
    enum Status: String, Encodable {
        case ok, warning, collapsed
    }

    var status = Status.ok
    var messages: [String] = []
}

struct HealthReport {
    /// Columns for `metrics.csv`.
    var metrics: [(name: String, value: Double?)]
    /// Online kNN accuracy, when it was measured: what the best checkpoint is chosen by.
    var score: Double?
    var verdict: HealthVerdict
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
    private let classCount: Int

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
        classCount = dataset.classNames.count
        extraction = FeatureExtraction(
            imageSize: recipe.data.imageSize, batchSize: min(recipe.training.batchSize, 128), threads: options.loaderThreads,
            device: options.device)
    }

    func read(_ method: any SelfSupervisedMethod, epoch: Int) throws -> HealthReport {
        var report = HealthReport(metrics: [], score: nil, verdict: HealthVerdict())
        try method.evaluating {
            if let healthImages { try readHealth(method, healthImages, &report) }
            if let knnImages { try readNeighbours(method, knnImages, epoch, &report) }
        }
        return report
    }

    private func readHealth(_ method: any SelfSupervisedMethod, _ images: any ImageDataset, _ report: inout HealthReport) throws {
        let h = try extraction.pairs(images, views: views, both: hasPairs) { method.encoder($0) }
        let z = try inference { () -> [Tensor]? in
            guard method.embedding(h[0][0..<1].to(extraction.device)) != nil else { return nil }
            return h.map { method.embedding($0.to(extraction.device))!.to(.float32).to(.cpu) }
        }
        let atRepresentation = RepresentationHealth(h[0], positives: h.count > 1 ? h[1] : nil)
        report.metrics += columns("h", atRepresentation)
        let atOutput = z.map { RepresentationHealth($0[0], positives: $0.count > 1 ? $0[1] : nil) }
        if let atOutput { report.metrics += columns("z", atOutput) }
        let collapse = Collapse.diagnose(representation: atRepresentation, output: atOutput)
        report.verdict = HealthVerdict(collapse)
    }

    private func columns(_ prefix: String, _ health: RepresentationHealth) -> [(name: String, value: Double?)] {
        [
            ("\(prefix).std", health.standardDeviation), ("\(prefix).rank", health.effectiveRank),
            ("\(prefix).alignment", health.alignment), ("\(prefix).uniformity", health.uniformity),
        ]
    }

    private func readNeighbours(
        _ method: any SelfSupervisedMethod, _ images: any ImageDataset, _ epoch: Int, _ report: inout HealthReport
    ) throws {
        report.metrics.append(("knn", nil))
        guard (epoch + 1).isMultiple(of: knnEveryEpochs) || epoch + 1 == epochs else { return }
        let found = try extraction(images) { method.encoder($0) }
        let labelled = found.labels.indices.filter { found.labels[$0] >= 0 }
        guard labelled.count > 1 else { return }
        let features = found.rows.rows(Tensor(labelled))
        let accuracy = try NearestNeighbourClassifier().leaveOneOut(features, labels: labelled.map { found.labels[$0] }, classes: classCount)
        report.metrics[report.metrics.count - 1].value = accuracy
        report.score = accuracy
    }
}
