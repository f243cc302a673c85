import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Held against what scikit-learn, SciPy and PyTorch compute of the same features (generate_protocols.py).
@Suite struct ProtocolReferenceTests {
    private let values: ReferenceValues

    init() throws { values = try ReferenceValues.load("protocols") }

    private func split(_ name: String) -> Features {
        Features(matrix: values[name], labels: values["\(name).labels"].ints, classNames: (0..<7).map { "class \($0)" })
    }

    // MARK: Few-shot classifiers

    @Test(arguments: FewShotClassifier.allCases)
    func predictionsAreScikitLearns(classifier: FewShotClassifier) throws {
        let outcome = try classifier.evaluate(train: split("train"), test: split("test"))
        #expect(outcome.predictions == values["\(classifier.rawValue).predictions"].ints)
        // Chance alone agrees in about a fifth.
        #expect(outcome.top1!.estimate > 0.5)
    }

    @Test(arguments: [FewShotClassifier.logistic, .svm])
    func weightsAreScikitLearns(classifier: FewShotClassifier) throws {
        let train = split("train")
        let (weight, bias) = classifier.fit(train.matrix.normalized(), train.labels, 7)
        // The softmax is the same whatever is added to all classes' biases.
        func centred(_ bias: Tensor) -> Tensor {
            classifier == .logistic ? bias.to(.float64) - bias.to(.float64).mean() : bias.to(.float64)
        }
        #expect(largestDifference(weight, values["\(classifier.rawValue).weight"]) < 2e-3)
        #expect(largestDifference(centred(bias), centred(values["\(classifier.rawValue).bias"])) < 2e-3)
    }

    @Test func unnormalisedFeaturesAreAnotherClassifier() throws {
        let train = split("train")
        let (weight, _) = FewShotClassifier.logistic.fit(train.matrix, train.labels, 7)
        #expect(largestDifference(weight, values["logistic.weight"]) > 0.1)
    }

    @Test func classesWithoutImagesAreNeverPredicted() throws {
        let train = split("train")
        let some = train.picked(train.labels.indices.filter { train.labels[$0] != 2 && train.labels[$0] != 6 })
        for classifier in FewShotClassifier.allCases {
            let outcome = try classifier.evaluate(train: some, test: split("test"))
            #expect(!outcome.predictions.contains(2) && !outcome.predictions.contains(6))
        }
        let one = train.picked(train.labels.indices.filter { train.labels[$0] == 2 })
        #expect(throws: FeatureError.self) { try FewShotClassifier.logistic.evaluate(train: one, test: split("test")) }
    }

    // MARK: Clusters

    @Test(arguments: ["good", "random", "more", "fewer"])
    func agreementIsScikitLearns(name: String) {
        let agreement = ClusterAgreement(labels: values["train.labels"].ints, clusters: values["clusters.\(name)"].ints)
        let found = [
            agreement.normalizedMutualInformation, agreement.adjustedMutualInformation, agreement.adjustedRandIndex, agreement.accuracy,
            agreement.purity,
        ]
        for (value, expected) in zip(found, values["clusters.\(name).scores"].doubles) { #expect(abs(value - expected) < 1e-10) }
    }

    @Test func agreementDoesNotDependOnNamesAndLeavesOutTheUnlabelled() {
        let (labels, clusters) = (values["train.labels"].ints, values["clusters.good"].ints)
        let renamed = ClusterAgreement(labels: labels, clusters: clusters.map { (3 * $0 + 5) % 7 })
        let agreement = ClusterAgreement(labels: labels, clusters: clusters)
        #expect(abs(renamed.adjustedMutualInformation - agreement.adjustedMutualInformation) < 1e-12)
        #expect(renamed.accuracy == agreement.accuracy && renamed.perClassPurity == agreement.perClassPurity)
        #expect(ClusterAgreement(labels: labels + [-1, -1], clusters: clusters + [0, 3]) == agreement)
    }

    @Test func theSameGroupsAgreeWhollyAndOneGroupNotAtAll() {
        let labels = values["train.labels"].ints
        let same = ClusterAgreement(labels: labels, clusters: labels)
        for value in [same.normalizedMutualInformation, same.adjustedMutualInformation, same.adjustedRandIndex, same.accuracy, same.purity]
        {
            #expect(abs(value - 1) < 1e-12)
        }
        let one = ClusterAgreement(labels: labels, clusters: labels.map { _ in 0 })
        #expect(abs(one.normalizedMutualInformation) < 1e-12 && abs(one.adjustedRandIndex) < 1e-12)
        #expect(ClusterAgreement(labels: [0, 0], clusters: [0, 0]).adjustedMutualInformation == 1)
    }

    @Test(arguments: ["wide", "tall", "square"])
    func assignmentIsSciPys(name: String) {
        let gains = values["assignment.\(name)"]
        let width = gains.size(1)
        let flat = gains.doubles
        let rows = (0..<gains.size(0)).map { Array(flat[$0 * width..<($0 + 1) * width]) }
        #expect(Assignment.maximizing(rows).map { $0 ?? -1 } == values["assignment.\(name).columns"].ints)
    }

    // MARK: Retrieval

    @Test(arguments: ["test", "all"])
    func retrievalIsScikitLearns(name: String) throws {
        let outcome = try Retrieval().evaluate(gallery: split("train"), queries: name == "all" ? nil : split("test"))
        for (value, expected) in zip(outcome.averagePrecision, values["retrieval.\(name).precision"].doubles) {
            #expect(abs(value - expected) < 1e-6)
        }
        #expect(outcome.averagePrecision.count == values["retrieval.\(name).precision"].count)
        for (depth, found) in zip([1, 5, 10], outcome.recall) {
            #expect(found.map { $0 ? 1 : 0 } == values["retrieval.\(name).recall\(depth)"].ints)
        }
    }

    @Test func queriesWithoutARelevantImageAreLeftOutAndTold() throws {
        let train = split("train")
        let some = train.picked(train.labels.indices.filter { train.labels[$0] != 4 })
        let outcome = try Retrieval().evaluate(gallery: some, queries: split("test"))
        let lost = split("test").labels.count { $0 == 4 }
        #expect(outcome.queries.count == 90 - lost)
        #expect(outcome.notes.first?.hasPrefix("\(lost) queries") == true)
    }

    // MARK: MLP

    @Test func trainingIsPyTorchs() throws {
        var probe = MLPProbe()
        (probe.epochs, probe.batch, probe.momentum, probe.weightDecay) = (25, 1000, 0.8, 0.01)
        let network = MLP([33, 24, 7], batchNorm: false)
        var weights = values.under("mlp").tensors
        weights["logits"] = nil
        try network.load(weights.mapValues { $0.to(.float32) })
        let train = split("train")
        probe.train(network, train.matrix, train.labels, 0.3)
        #expect(largestDifference(network(values["test"]).detached(), values["mlp.logits"]) < 2e-3)

        // Without momentum, or with another decay, it is another network.
        for change in [\MLPProbe.momentum, \MLPProbe.weightDecay] {
            let other = MLP([33, 24, 7], batchNorm: false)
            try other.load(weights.mapValues { $0.to(.float32) })
            var wrong = probe
            wrong[keyPath: change] = 0
            wrong.train(other, train.matrix, train.labels, 0.3)
            #expect(largestDifference(other(values["test"]).detached(), values["mlp.logits"]) > 0.02)
        }
    }

    @Test func anMLPTellsApartWhatNoLineDoes() throws {
        // Exclusive or: the class is whether two coordinates have the same sign.
        func points(_ count: Int, seed: UInt64) -> Features {
            let matrix = normal(count, 4, seed: seed)
            let x = matrix.doubles
            let labels = (0..<count).map { (x[4 * $0] > 0) == (x[4 * $0 + 1] > 0) ? 1 : 0 }
            return Features(matrix: matrix, labels: labels, classNames: ["differ", "same"])
        }
        var probe = MLPProbe()
        (probe.hiddenWidth, probe.learningRates, probe.epochs, probe.batch) = (64, [0.001, 0.3], 60, 64)
        let (train, test) = (points(600, seed: 1), points(300, seed: 2))
        let outcome = try probe.evaluate(train: train, test: test)
        #expect(outcome.classification.top1!.estimate > 0.9 && outcome.learningRate == 0.3)
        #expect(try LinearProbe().evaluate(train: train, test: test).classification.top1!.estimate < 0.65)
        #expect(try probe.evaluate(train: train, test: test) == outcome)
        // RotNet's: two hidden layers with batch normalisation, whose statistics are of training and not of the rows beside one.
        (probe.hiddenWidth, probe.hiddenLayers, probe.batchNorm, probe.batch) = (32, 2, true, 599)
        let deep = try probe.evaluate(train: train, test: test)
        #expect(deep.classification.top1!.estimate > 0.9 && deep != outcome)
        let part = try probe.evaluate(train: train, test: test.picked([7, 3]))
        #expect(part.classification.predictions == [7, 3].map { deep.classification.predictions[$0] })
        probe.hiddenLayers = 0
        #expect(message { _ = try probe.evaluate(train: train, test: test) } != nil)
    }
}
