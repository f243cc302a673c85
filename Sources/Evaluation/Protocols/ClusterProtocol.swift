public import Backbones
internal import Embeddings
internal import Torch

/// Clusters, as many as classes, against the classes that they did not see: on the test split, or on all images when there is
/// none. Spherical by default: cosine decides, as in the other protocols.
public struct ClusterProtocol: EvaluationProtocol {
    public static let name = "cluster"
    public static let summary = "clusters against the classes: NMI, AMI, ARI, Hungarian accuracy, purity; also of each class"

    public enum Algorithm: String, Codable, Sendable {
        /// k-means++ with restarts.
        case kmeans
        /// On a sample: its memory grows with the square of the images.
        case agglomerative
    }

    public var algorithms = [Algorithm.kmeans]
    /// nil for the number of classes.
    public var clusters: Int?
    /// Of k-means.
    public var restarts = 10
    public var spherical = true
    /// Of agglomerative clustering: ward, average or complete.
    public var linkage = "ward"
    /// At most so many images for agglomerative clustering, of each class alike.
    public var sample = 2000

    public init() {}

    public static let automaticValues = ["clusters": "the number of classes"]

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {
        guard !algorithms.isEmpty else { throw EvaluationError("cluster.algorithms is empty: give kmeans, agglomerative or both") }
        guard (clusters ?? 1) >= 1 else { throw EvaluationError("cluster.clusters must be at least 1, not \(clusters ?? 0)") }
        guard restarts >= 1 else { throw EvaluationError("cluster.restarts must be at least 1, not \(restarts)") }
        guard (1...Agglomerative.mostRows).contains(sample) else {
            throw EvaluationError("cluster.sample must lie between 1 and \(Agglomerative.mostRows), not be \(sample)")
        }
        guard Agglomerative.Linkage(rawValue: linkage) != nil else {
            throw EvaluationError("cluster.linkage must be ward, average or complete, not \(linkage)")
        }
    }

    public func measure(_ subject: EvaluationSubject) throws -> [Score] {
        try check(subject)
        let linkage = Agglomerative.Linkage(rawValue: linkage)!
        let all = (subject.test ?? subject.train).labelled
        guard all.count > 0 else { throw EvaluationError("none of the images to cluster has a label: check --test and --data") }
        let classes = all.classCounts.count { $0 > 0 }
        guard classes >= 2 else { throw EvaluationError("clustering needs images of at least 2 classes, and the test split has 1") }
        let count = clusters ?? classes
        guard count <= all.count else {
            throw EvaluationError("cluster.clusters is \(count), but there are only \(all.count) images with a label to cluster")
        }
        return try algorithms.flatMap { algorithm -> [Score] in
            switch algorithm {
            case .kmeans:
                var means = KMeans(clusters: count)
                means.restarts = restarts
                means.spherical = spherical
                means.seed = subject.seed
                return scores(subject, all, try means.fit(all.matrix).assignments.ints, algorithm, "k=\(count)")
            case .agglomerative:
                guard sample >= max(classes, count) else {
                    throw EvaluationError(
                        "cluster.sample is \(sample): \(classes) classes in \(count) clusters need \(max(classes, count)) images")
                }
                let share = Double(sample) / Double(all.count)
                let part = share < 1 ? all.picked(LabelDraw.share(share, of: all.labels, seed: subject.seed)) : all
                guard part.count <= Agglomerative.mostRows else {
                    throw EvaluationError("cluster.sample: \(classes) classes have too many images even with one of each")
                }
                var tree = Agglomerative(clusters: count)
                tree.linkage = linkage
                tree.spherical = spherical
                return scores(subject, part, try tree.fit(part.matrix), algorithm, "\(linkage.rawValue), k=\(count)")
            }
        }
    }

    private func scores(
        _ subject: EvaluationSubject, _ images: Features, _ found: [Int], _ algorithm: Algorithm, _ setting: String
    ) -> [Score] {
        let agreement = ClusterAgreement(labels: images.labels, clusters: found)
        let values = [
            ("NMI", agreement.normalizedMutualInformation), ("AMI", agreement.adjustedMutualInformation),
            ("ARI", agreement.adjustedRandIndex), ("accuracy", agreement.accuracy), ("purity", agreement.purity),
        ]
        let (split, suffix) = (subject.test == nil ? "train" : "test", algorithm == .kmeans ? "" : " \(algorithm.rawValue)")
        // With an image to a cluster there is nothing to find: NMI and purity are 1 for any encoder.
        let clusters = Set(found).count
        let note = images.count < 2 * clusters ? "\(images.count) images in \(clusters) clusters tell little of an encoder" : nil
        let whole = values.map { metric, value in
            Score(
                Self.name, metric + suffix, setting: setting, split: split, value: value, trainImages: 0, testImages: images.count,
                note: note)
        }
        // One for each class, in a table of their own.
        let parts = agreement.perClassPurity.enumerated().compactMap { label, purity -> Score? in
            guard let purity else { return nil }
            var score = Score(
                Self.name, "purity\(suffix) \(images.classNames[label])", setting: setting, split: split, value: purity, trainImages: 0,
                testImages: images.classCounts[label])
            score.detail = .init(series: algorithm.rawValue, group: images.classNames[label], level: 0)
            return score
        }
        return whole + parts
    }
}
