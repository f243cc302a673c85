import Backbones
import Embeddings
import Files
import TestSupport
import Testing
import Torch
import Views

@testable import Evaluation

/// Small and awkward labelled images through every protocol: a sensible number that is checked, or one line. The class is the
/// pictures' hue, so that raw pixels must find it.
@Suite(.serialized) struct AwkwardDataTests {
    private let frozen = "knn,linear,mlp,lowshot,cluster,retrieve"
    private let all = "knn,linear,mlp,lowshot,cluster,retrieve,finetune"

    private static let quick = [
        "linear.penalties=3", "mlp.hiddenWidth=16", "mlp.epochs=60", "mlp.learningRates=[0.1]", "lowshot.draws=3", "lowshot.shots=[1,2]",
        "cluster.restarts=2", "finetune.shares=[1]", "finetune.learningRates=[0.4]", "finetune.epochs=1", "finetune.leastSteps=40",
        "finetune.batchSize=8", "finetune.baseline=same",
    ]

    private func evaluate(
        _ protocols: String, _ train: Labelled, _ test: (any ImageDataset)?, _ changes: [String] = AwkwardDataTests.quick
    ) throws -> Evaluator.Outcome {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
        var evaluator = Evaluator()
        let names = protocols.split(separator: ",").map(String.init)
        evaluator.protocols = try ProtocolRegistry.protocols(
            protocols, changes: changes.filter { change in names.contains { change.hasPrefix("\($0).") } })
        evaluator.randomEncoders = 1
        evaluator.loaderThreads = 1
        return try evaluator(encoder, name: "mine", train: train, test: test, folder: nil)
    }

    private func row(_ outcome: Evaluator.Outcome, _ encoder: String, _ name: String, _ metric: String = "top-1") throws -> EvaluationResult
    {
        try #require(
            outcome.results.first { $0.encoder == encoder && $0.protocolName == name && $0.metric == metric },
            "\(encoder) \(name) \(metric)")
    }

    /// Whatever was measured has the images that were there and lies where such a number can.
    private func expectSound(_ outcome: Evaluator.Outcome, testImages: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        for result in outcome.results {
            let name = "\(result.encoder) \(result.protocolName) \(result.metric): \(result.value)"
            // Agreement above chance can be below zero.
            let least = ["AMI", "ARI"].contains(result.metric) ? -1.0 : 0
            #expect(result.value >= least && result.value <= 1 + 1e-12, "\(name)", sourceLocation: sourceLocation)
            if let lower = result.lower, let upper = result.upper {
                #expect(lower <= result.value && result.value <= upper, "\(name)", sourceLocation: sourceLocation)
            }
            #expect(result.testImages == testImages, "\(name)", sourceLocation: sourceLocation)
        }
    }

    /// Raw pixels find the hue, of two classes also by what has few labels or few steps.
    private func expectFound(_ outcome: Evaluator.Outcome, ofTwo: Bool = true, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let simple = [("knn", "top-1"), ("linear", "top-1"), ("retrieve", "mAP"), ("cluster", "accuracy")]
        for (name, metric) in simple + (ofTwo ? [("mlp", "top-1"), ("lowshot", "top-1 k=2 logistic")] : []) {
            let value = try row(outcome, "raw pixels", name, metric).value
            #expect(value > 0.9, "\(name) \(value)", sourceLocation: sourceLocation)
        }
    }

    @Test func twoClasses() throws {
        let outcome = try evaluate(all, .cycling(24, 2), Labelled.cycling(20, 2, stream: 1))
        expectSound(outcome, testImages: 20)
        try expectFound(outcome)
        // There is no top-5 of two.
        #expect(!outcome.results.contains { $0.metric.hasPrefix("top-5") })
        #expect(try row(outcome, "mine", "finetune", "top-1 100 %").value >= 0.75)
    }

    @Test func oneImageInAClass() throws {
        let names = ["many", "one"]
        let train = Labelled(labels: [1] + [Int](repeating: 0, count: 15), classNames: names)
        let test = Labelled(labels: [0, 1, 0, 1], classNames: names, stream: 1)
        let outcome = try evaluate(all, train, test)
        expectSound(outcome, testImages: 4)
        #expect(try row(outcome, "raw pixels", "knn").setting == "k=4")
        let short = try row(outcome, "mine", "lowshot", "top-1 k=2 logistic")
        #expect(short.trainImages == 3 && short.note == "1 classes have fewer than 2 images, all of which are used")
        #expect(try row(outcome, "mine", "finetune", "top-1 100 %").trainImages == 16)
        // With an image of each class one of many counts as much.
        #expect(try row(outcome, "raw pixels", "lowshot", "top-1 k=1 centroid").value == 1)

        // Without a test split nothing can find that image, and that is said.
        let alone = try evaluate("knn,linear,retrieve", train, nil)
        let knn = try row(alone, "raw pixels", "knn")
        #expect(knn.split == "leave-one-out" && knn.testImages == 16 && abs(knn.value - 15.0 / 16) < 1e-12)
        #expect(
            knn.note
                == "every image is taken for many; classes with one image only, which leaves nothing to find it by and counts as wrong: 1")
        let linear = try row(alone, "raw pixels", "linear")
        #expect(linear.testImages == 3 && linear.trainImages == 13 && linear.value == 1)
        let found = try row(alone, "raw pixels", "retrieve", "mAP")
        #expect(found.testImages == 15 && found.note?.hasPrefix("1 queries were left out") == true)
    }

    @Test func twoHundredClassesOfThreeImages() throws {
        let names = (0..<200).map { "class \($0)" }
        let train = Labelled(labels: (0..<600).map { $0 % 200 }, classNames: names, noise: 0.05)
        let test = Labelled(labels: (0..<200).map { $0 }, classNames: names, stream: 1, noise: 0.05)
        let outcome = try evaluate(
            all, train, test,
            [
                "linear.penalties=1", "mlp.hiddenWidth=16", "mlp.epochs=2", "mlp.learningRates=[0.1]", "lowshot.draws=1",
                "lowshot.shots=[1,3]", "lowshot.classifiers=[\"centroid\"]", "cluster.restarts=1", "finetune.shares=[0.01]",
                "finetune.epochs=1", "finetune.leastSteps=1", "finetune.baseline=same",
            ])
        expectSound(outcome, testImages: 200)
        // Chance is half a per cent.
        #expect(try row(outcome, "raw pixels", "knn").value > 0.2)
        #expect(try row(outcome, "raw pixels", "linear").value > 0.01)
        #expect(try row(outcome, "raw pixels", "lowshot", "top-1 k=3 centroid").value > 0.2)
        #expect(try row(outcome, "raw pixels", "knn").setting == "k=1")
        // One neighbour ranks one class.
        #expect(!outcome.results.contains { $0.protocolName == "knn" && $0.metric == "top-5" })
        // A share of a hundredth is at least an image of each class.
        #expect(try row(outcome, "mine", "finetune", "top-1 1 %").trainImages == 200)
        // As many clusters as images are right for any encoder: the number says so.
        for encoder in ["mine", "raw pixels"] {
            let purity = try row(outcome, encoder, "cluster", "purity")
            #expect(purity.setting == "k=200" && purity.note?.hasPrefix("200 images in ") == true)
        }
        // Of three images a class, two are fitted and one is tested on.
        let held = try evaluate("knn,linear,cluster", train, nil, ["linear.penalties=1", "cluster.restarts=1"])
        let linear = try row(held, "raw pixels", "linear")
        // Hues on a ring are no linear classes: twice chance is what there is.
        #expect(linear.testImages == 200 && linear.trainImages == 400 && linear.value >= 0.01)
        #expect(try row(held, "raw pixels", "cluster", "purity").note == nil)
    }

    @Test func classesMissingFromTheTestSplit() throws {
        let names = (0..<4).map { "class \($0)" }
        let test = Labelled(labels: (0..<12).map { $0 % 2 }, classNames: names, stream: 1)
        let outcome = try evaluate(all, .cycling(40, 4), test)
        expectSound(outcome, testImages: 12)
        try expectFound(outcome, ofTwo: false)
        // As many clusters as classes that are there.
        #expect(try row(outcome, "mine", "cluster", "NMI").setting == "k=2")
        // Nothing is amiss with these numbers.
        #expect(try row(outcome, "raw pixels", "knn").note == nil)
    }

    @Test func classesMissingFromTheTrainingSplit() throws {
        let names = (0..<3).map { "class \($0)" }
        let train = Labelled(labels: (0..<24).map { $0 % 2 }, classNames: names)
        let test = Labelled(labels: (0..<18).map { $0 % 3 }, classNames: names, stream: 1)
        let outcome = try evaluate(all, train, test)
        // The six images of the third class are wrong, whatever is predicted.
        for (name, metric) in [("knn", "top-1"), ("mlp", "top-1"), ("lowshot", "top-1 k=2 svm"), ("finetune", "top-1 100 %")] {
            let found = try row(outcome, "mine", name, metric)
            #expect(found.testImages == 18 && found.value <= 12.0 / 18 + 1e-12, "\(name)")
            #expect(found.note == "6 test images are of classes without a training image, which nothing can learn: class 2", "\(name)")
        }
        let note = try #require(try row(outcome, "mine", "linear").note)
        #expect(note.hasPrefix("1 of 3 classes have no training image and are never predicted; 6 test images are of"))
        for name in ["knn", "linear", "mlp"] {
            let value = try row(outcome, "raw pixels", name).value
            #expect(abs(value - 12.0 / 18) < 1e-12, "\(name) \(value)")
        }
        // Nothing can be found of them: they are no queries.
        let retrieved = try row(outcome, "raw pixels", "retrieve", "mAP")
        #expect(retrieved.testImages == 12 && retrieved.value > 0.9 && retrieved.note?.hasPrefix("6 queries were left out") == true)
        // Clusters need no training.
        let clusters = try row(outcome, "raw pixels", "cluster", "accuracy")
        #expect(clusters.setting == "k=3" && clusters.testImages == 18 && clusters.value > 0.9 && clusters.note == nil)

        var efficiency = LabelEfficiency()
        (efficiency.labelsPerClass, efficiency.draws, efficiency.networkDraws) = ([1], 2, 0)
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
        let curves = try efficiency(encoder, name: "mine", train: train, test: test, folder: nil)
        #expect(curves.notes?.count == 1 && curves.notes?[0].hasSuffix("nothing can learn: class 2") == true)
        #expect(curves.curves.allSatisfy { $0.points.allSatisfy { $0.value <= 12.0 / 18 + 1e-12 } })

        var training = SelfTraining()
        (training.tuning.learningRates, training.tuning.epochs, training.tuning.leastSteps) = ([0.1], 1, 2)
        (training.share, training.epochs, training.batchSize) = (1, 1, 8)
        let taught = try withTemporaryFolder { try training(encoder, train: train, unlabelled: nil, test: test, folder: "\($0)/student") }
        #expect(taught.results.count == 2 && taught.results.allSatisfy { $0.note?.hasSuffix("nothing can learn: class 2") == true })
    }

    /// In a folder of its own the test split can have other names.
    @Test func testClassesThatTrainingHasNoNameOf() throws {
        let train = Labelled.cycling(24, 2)
        let test = Labelled(labels: (0..<18).map { $0 % 3 }, classNames: ["class 1", "class 0", "else"], stream: 1)
        let outcome = try evaluate("knn,linear,mlp,lowshot", train, test)
        for result in outcome.results {
            #expect(result.value <= 12.0 / 18 + 1e-12 && result.testImages == 18)
            #expect(result.note?.contains("else") == true, "\(result.protocolName)")
        }
        for (protocols, others) in [("finetune", ["class 1", "class 0", "else"]), (frozen, ["x", "y", "z"])] {
            for name in protocols.split(separator: ",") where name != "cluster" {
                let error = #expect(throws: (any Error).self) {
                    try evaluate(String(name), train, Labelled(labels: (0..<18).map { $0 % 3 }, classNames: others, stream: 1))
                }
                let line = error.map { "\($0)" } ?? ""
                #expect(line.contains("class") && !line.contains("\n"), "\(name): \(line)")
            }
        }
    }

    @Test func greyImagesOfDifferentSizesAndWithoutALabel() throws {
        let names = ["dark", "light"]
        let sides = [(16, 16), (40, 25), (9, 70), (31, 8)]
        func images(_ count: Int, stream: Int) -> Labelled {
            Labelled(
                labels: (0..<count).map { $0 % 3 == 2 ? nil : $0 % 3 }, classNames: names, grey: true, stream: stream, sides: sides)
        }
        let outcome = try evaluate(all, images(36, stream: 0), images(18, stream: 1))
        expectSound(outcome, testImages: 12)
        try expectFound(outcome)
        // Images without a label neither teach nor are they tested on.
        for name in ["knn", "linear", "mlp"] { #expect(try row(outcome, "mine", name).trainImages == 24) }
        #expect(try row(outcome, "mine", "finetune", "top-1 100 %").trainImages == 24)
        #expect(try row(outcome, "raw pixels", "linear").note == "12 training images have no label and were left out")
    }

    /// Draws of all images are all the same, which makes none of them certain.
    @Test func allImagesAreOneDraw() throws {
        let outcome = try evaluate(
            "lowshot", .cycling(8, 2), Labelled.cycling(12, 2, stream: 1), ["lowshot.shots=[2,4]", "lowshot.draws=3"])
        for classifier in ["logistic", "centroid", "svm"] {
            let all = try row(outcome, "raw pixels", "lowshot", "top-1 k=4 \(classifier)")
            #expect(all.value == 1 && all.upper == 1 && all.lower! < 0.8 && all.trainImages == 8)
            #expect(all.note == "all images are one draw: the interval is over test images")
            let some = try row(outcome, "raw pixels", "lowshot", "top-1 k=2 \(classifier)")
            #expect(some.trainImages == 4 && some.note == nil)
        }
        for result in outcome.results { #expect(result.lower! >= 0 && result.upper! <= 1) }
        // Nor do further seeds.
        let score = Score(
            "lowshot", "top-1", split: "test", items: [0.5], unit: .draws, interval: .wilson(6, of: 12), trainImages: 8, testImages: 12)
        #expect(Score.merged([[score], [score], [score]])[0].interval == score.interval)
        let shares = [[0.1, 0.9]].map { Score("lowshot", "top-1", split: "test", items: $0, unit: .draws, trainImages: 8, testImages: 12) }
        let other = Score("lowshot", "top-1", split: "test", items: [0.9, 0.9], unit: .draws, trainImages: 8, testImages: 12)
        let mean = try #require(Score.averaged([shares, [other]], "random encoder").first)
        #expect(mean.lower == 0 && mean.upper == 1 && abs(mean.value - 0.7) < 1e-12)
    }

    /// Ten neighbours of a gallery of four are all that there are.
    @Test func galleriesSmallerThanTheSearch() throws {
        let outcome = try evaluate("retrieve", .cycling(4, 2), Labelled.cycling(6, 2, stream: 1))
        // Nor are six images enough to tell encoders apart: the bootstrap over them is of no use.
        let few = "6 test images are too few to tell encoders apart"
        #expect(try row(outcome, "mine", "retrieve", "recall@1").note == few && outcome.differences.isEmpty)
        for depth in [5, 10] {
            let found = try row(outcome, "mine", "retrieve", "recall@\(depth)")
            #expect(found.value == 1 && found.note == "\(depth) are all images there are to find: 100 % for any encoder; \(few)")
        }
    }

    @Test func aTestSplitWithoutLabelsIsRefusedInOneLine() throws {
        let test = Labelled(labels: [nil, nil], classNames: ["class 0", "class 1"])
        for name in all.split(separator: ",") {
            let error = #expect(throws: (any Error).self) { try evaluate(String(name), .cycling(20, 2), test) }
            #expect(error.map { "\($0)".contains("\n") } == false, "\(name)")
        }
    }

    @Test func oneClassAndNoLabelsAreRefusedInOneLine() throws {
        let single = Labelled(labels: [Int](repeating: 0, count: 8), classNames: ["a", "b"])
        let test = Labelled(labels: [0, 1, 0, 1], classNames: ["a", "b"], stream: 1)
        for name in "linear,mlp,lowshot,finetune".split(separator: ",") {
            let error = #expect(throws: (any Error).self) { try evaluate(String(name), single, test) }
            let line = error.map { "\($0)" } ?? ""
            #expect(line.contains("2 classes") && !line.contains("\n"), "\(name): \(line)")
        }
    }

    // MARK: kNN's choice of k

    @Test func kIsChosenOnTrainingImages() throws {
        let train = Labelled.cycling(30, 3)
        struct Shifted: ImageDataset {
            let base: Labelled
            var count: Int { base.count }
            var classNames: [String] { base.classNames }
            func label(at index: Int) -> Int? { (base.labels[index]! + 1) % 3 }
            func name(at index: Int) -> String { base.name(at: index) }
            func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
                try base.image(at: index, coveringAtLeast: target)
            }
        }
        // Of all 29 others, those of other classes outnumber a plain vote for the own.
        let changes = ["knn.sweep=[29,5,3]", "knn.plain=true"]
        let (own, shifted) = (Labelled.cycling(12, 3, stream: 1), Shifted(base: .cycling(12, 3, stream: 1)))
        let (first, second) = (try evaluate("knn", train, own, changes), try evaluate("knn", train, shifted, changes))
        #expect(try row(first, "raw pixels", "knn").setting == "k=3, plain" && row(first, "raw pixels", "knn").value == 1)
        // Other test labels change the accuracy and not the choice.
        #expect(try row(second, "raw pixels", "knn").value == 0)
        for encoder in ["mine", "random encoder", "raw pixels"] {
            #expect(try row(first, encoder, "knn").setting == row(second, encoder, "knn").setting)
        }
        let error = #expect(throws: EvaluationError.self) { try evaluate("knn", train, nil, changes) }
        #expect(error?.description.contains("--test") == true)
    }
}
