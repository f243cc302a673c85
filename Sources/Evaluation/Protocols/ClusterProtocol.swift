internal import Embeddings
internal import Torch

/// k-means (k-means++, restarts) with as many clusters as classes, against the classes that it did not see: on the test
/// split, or on all images when there is none. Spherical by default: cosine decides, as in the other protocols.
public struct ClusterProtocol: EvaluationProtocol {
    public static let name = "cluster"
    public static let summary = "k-means against the classes: NMI, AMI, ARI, Hungarian accuracy, purity"

    /// nil for the number of classes.
    public var clusters: Int?
    public var restarts = 10
    public var spherical = true

    public init() {}

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        let images = (subject.test ?? subject.train).labelled
        guard images.count > 0 else { throw EvaluationError("none of the images to cluster has a label: check --test and --data") }
        let classes = images.classCounts.count { $0 > 0 }
        guard classes >= 2 else { throw EvaluationError("clustering needs images of at least 2 classes, and the test split has 1") }
        var algorithm = KMeans(clusters: clusters ?? classes)
        algorithm.restarts = restarts
        algorithm.spherical = spherical
        algorithm.seed = subject.seed
        let found = try algorithm.fit(images.matrix)
        let agreement = ClusterAgreement(labels: images.labels, clusters: found.assignments.ints)
        let values = [
            ("NMI", agreement.normalizedMutualInformation), ("AMI", agreement.adjustedMutualInformation),
            ("ARI", agreement.adjustedRandIndex), ("accuracy", agreement.accuracy), ("purity", agreement.purity),
        ]
        return values.map { metric, value in
            Score(
                Self.name, metric, setting: "k=\(algorithm.clusters)", split: subject.test == nil ? "train" : "test", value: value,
                trainImages: 0, testImages: images.count)
        }
    }
}
