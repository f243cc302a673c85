import Backbones
import Embeddings
import Files
import Foundation
import Methods
import TestSupport
import Testing
import Torch
import Training
import Views

@testable import Evaluation

/// Images of plain hues with given labels: what is tested is what protocols make of the labels.
struct Labelled: ImageDataset {
    let labels: [Int?]
    var classNames: [String]
    var grey = false
    var stream = 0

    var count: Int { labels.count }
    func label(at index: Int) -> Int? { labels[index] }
    func name(at index: Int) -> String { "\(index).png" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        var random = ViewKey(seed: 4, epoch: 0, index: index, stream: stream).random()
        let level = Double((labels[index] ?? 0) + 1) / Double(classNames.count + 1)
        let pixels = (0..<16 * 16).flatMap { place -> [UInt8] in
            let noise = 0.8 + 0.2 * random.uniform()
            // Cosine does not see how bright an image is as a whole: grey ones have a bright half.
            let shade = place % 16 < 8 ? level : 1 - level
            let colour = grey ? [shade, shade, shade] : [level, 1 - level, 0.5]
            return colour.map { UInt8(255 * $0 * noise) }
        }
        return PixelImage(width: 16, height: 16, pixels: pixels)
    }

    static func cycling(_ count: Int, _ classes: Int, stream: Int = 0) -> Labelled {
        Labelled(labels: (0..<count).map { $0 % classes }, classNames: (0..<classes).map { "class \($0)" }, stream: stream)
    }
}

@Suite(.serialized) struct ProtocolTests {
    private func evaluate(
        _ protocols: String, _ train: Labelled, _ test: Labelled?, seeds: Int = 1, random: Int = 1, changes: [String] = []
    ) throws -> Evaluator.Outcome {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols(protocols, changes: changes)
        evaluator.randomEncoders = random
        evaluator.seeds = seeds
        evaluator.loaderThreads = 1
        return try evaluator(encoder, name: "mine", train: train, test: test, folder: nil)
    }

    private let quick = [
        "lowshot.draws=3", "lowshot.shots=[1,2]", "mlp.hiddenWidth=16", "mlp.epochs=60", "mlp.learningRates=[0.1]", "cluster.restarts=2",
    ]
    private let frozen = "knn,linear,mlp,lowshot,cluster,retrieve"

    // MARK: The registry

    @Test func settingsAreReadAndUnknownOnesRefusedInOneLine() throws {
        let found = try ProtocolRegistry.protocols(
            "lowshot, knn", changes: ["lowshot.draws=7", "knn.neighbours=3", "lowshot.classifiers=[\"svm\"]"])
        let lowShot = try #require(found[0] as? LowShotProtocol)
        #expect(lowShot.draws == 7 && lowShot.classifiers == [.svm] && lowShot.shots == LowShotProtocol().shots)
        #expect((found[1] as? NearestNeighbourProtocol)?.neighbours == 3)
        for (list, change, part) in [
            ("lineer", "", "did you mean 'linear'"), ("knn", "knn.neighbors=3", "did you mean 'neighbours'"),
            ("knn", "mlp.epochs=3", "not among"), ("knn", "knn.neighbours=many", "does not fit"),
            ("knn", "neighbours=3", "protocol.setting"),
            ("", "", "nothing to measure"),
        ] {
            let error = #expect(throws: EvaluationError.self) {
                try ProtocolRegistry.protocols(list, changes: change.isEmpty ? [] : [change])
            }
            #expect(error?.description.contains(part) == true && error?.description.contains("\n") == false)
        }
    }

    @Test func everyProtocolGivesRowsForTheEncoderAndItsBaselines() throws {
        let outcome = try evaluate(frozen, .cycling(60, 3), .cycling(30, 3, stream: 1), changes: quick)
        for encoder in ["mine", "random encoder", "raw pixels"] {
            let rows = outcome.results.filter { $0.encoder == encoder }
            #expect(
                rows.map(\.protocolName).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
                    == frozen.split(separator: ",").map(String.init))
            #expect(rows.count == 3 + 2 * 3 + 5 + 4)
        }
        // The hue is the class: raw pixels must find it, whatever the protocol.
        for row in outcome.results where row.encoder == "raw pixels" && !row.metric.hasPrefix("top-1 k=1") {
            #expect(row.value > 0.9, "\(row.protocolName) \(row.metric)")
        }
        let compared = Set(outcome.differences.filter { $0.baseline == "raw pixels" }.map { "\($0.protocolName) \($0.metric)" })
        #expect(compared.contains("retrieve mAP") && compared.contains("lowshot top-1 k=2 svm") && !compared.contains("cluster NMI"))
    }

    @Test func seedsAreOneRowAndEachOneInTheTableOfSeeds() throws {
        let (train, test) = (Labelled.cycling(36, 3), Labelled.cycling(18, 3, stream: 1))
        let both = try evaluate("knn,lowshot", train, test, seeds: 2, random: 0, changes: quick.filter { $0.hasPrefix("lowshot") })
        #expect(Set(both.bySeed.map(\.seed)) == [0, 1])
        func value(_ rows: [EvaluationResult], _ seed: Int?, _ metric: String) -> EvaluationResult {
            rows.first { $0.encoder == "mine" && $0.metric == metric && $0.seed == seed }!
        }
        for metric in ["top-1", "top-1 k=1 logistic"] {
            let mean = (value(both.bySeed, 0, metric).value + value(both.bySeed, 1, metric).value) / 2
            #expect(abs(value(both.results, nil, metric).value - mean) < 1e-12)
        }
        // Nothing of kNN is left to chance: its interval must stay the images', not become that of two equal numbers.
        let knn = value(both.results, nil, "top-1")
        #expect(knn.lower == value(both.bySeed, 0, "top-1").lower)
    }

    @Test func lowShotDrawsAreBalancedNestedAndDifferent() {
        let labels = (0..<100).map { $0 % 10 == 0 ? 2 : $0 % 2 }
        let few = LabelDraw.perClass(3, of: labels, seed: 5)
        let more = LabelDraw.perClass(8, of: labels, seed: 5)
        #expect(Set(few).isSubset(of: more) && few != LabelDraw.perClass(3, of: labels, seed: 6))
        for label in 0...2 { #expect(few.count { labels[$0] == label } == 3) }
        #expect(LabelDraw.perClass(20, of: labels, seed: 5).count { labels[$0] == 2 } == 10)
        #expect(LabelDraw.share(0.1, of: labels, seed: 1).count == 5 + 4 + 1)
        #expect(LabelDraw.perClass(2, of: [0, -1, 0, -1], seed: 0) == [0, 2])
    }

    @Test func layersAreChosenOnTrainingImagesForEveryEncoder() throws {
        let outcome = try evaluate(
            "linear", .cycling(60, 3), .cycling(30, 3, stream: 1),
            changes: ["linear.layers=all", "linear.penalties=2", "linear.pooledWidth=64"])
        let layers = ["stem", "layer1", "layer2", "layer3", "layer4"]
        for encoder in ["mine", "random encoder"] {
            let metrics = outcome.results.filter { $0.encoder == encoder }.map(\.metric)
            #expect(metrics == ["top-1"] + layers.map { "top-1 \($0)" } + ["top-1 chosen layer"])
        }
        let mine = outcome.results.filter { $0.encoder == "mine" }
        let chosen = mine.first { $0.metric == "top-1 chosen layer" }!
        #expect(mine.first { $0.metric == "top-1 \(chosen.setting!)" }?.value == chosen.value)
        #expect(outcome.results.filter { $0.encoder == "raw pixels" }.map(\.metric) == ["top-1"])
    }

    @Test func theTestSplitHasNoSayInTheChoiceOfTheLayer() throws {
        let test = Labelled.cycling(30, 3, stream: 1)
        func choices(_ shift: Int) throws -> [String?] {
            // The same pictures under other labels: accuracies change, the choice must not.
            struct Renamed: ImageDataset {
                let base: Labelled
                let shift: Int
                var count: Int { base.count }
                var classNames: [String] { base.classNames }
                func label(at index: Int) -> Int? { (base.labels[index]! + shift * index) % 3 }
                func name(at index: Int) -> String { base.name(at: index) }
                func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
                    try base.image(at: index, coveringAtLeast: target)
                }
            }
            Runtime.seed(3)
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
            var evaluator = Evaluator()
            evaluator.protocols = try ProtocolRegistry.protocols(
                "linear", changes: ["linear.layers=all", "linear.penalties=2", "linear.pooledWidth=64"])
            evaluator.randomEncoders = 1
            evaluator.loaderThreads = 1
            let outcome = try evaluator(
                encoder, name: "mine", train: Labelled.cycling(60, 3), test: Renamed(base: test, shift: shift), folder: nil)
            return outcome.results.filter { $0.metric == "top-1 chosen layer" }.map(\.setting)
        }
        let own = try choices(0)
        #expect(own.count == 2 && own.allSatisfy { $0 != nil })
        #expect(try choices(1) == own && choices(2) == own)
    }

    @Test func clustersOfASampleAndThePurityOfEachClass() throws {
        let outcome = try evaluate(
            "cluster", .cycling(60, 3), .cycling(45, 3, stream: 1),
            changes: ["cluster.algorithms=[\"kmeans\",\"agglomerative\"]", "cluster.restarts=2", "cluster.sample=20"])
        let raw = outcome.results.filter { $0.encoder == "raw pixels" }
        #expect(raw.map(\.metric) == ["NMI", "AMI", "ARI", "accuracy", "purity"].flatMap { [$0] } + raw.suffix(5).map(\.metric))
        #expect(raw.suffix(5).allSatisfy { $0.metric.hasSuffix(" agglomerative") && $0.testImages == 21 && $0.value > 0.9 })
        let parts = outcome.classes.filter { $0.encoder == "raw pixels" }
        #expect(parts.map(\.metric).prefix(3) == ["purity class 0", "purity class 1", "purity class 2"])
        #expect(parts.count == 6 && parts.allSatisfy { $0.value > 0.9 })
        // The mean over images is the purity of all.
        for (metric, suffix) in [("purity", ""), ("purity agglomerative", " agglomerative")] {
            let own = outcome.classes.filter { $0.encoder == "mine" && $0.metric.hasPrefix("purity\(suffix) class") }
            let sum = own.reduce(0) { $0 + $1.value * Double($1.testImages!) } / Double(own.reduce(0) { $0 + $1.testImages! })
            #expect(abs(sum - outcome.results.first { $0.encoder == "mine" && $0.metric == metric }!.value) < 1e-12)
        }
    }

    @Test func layersArePooledToTheWidthAskedFor() throws {
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 32)
        let pixels = Tensor.full([2, 3, 32, 32], 100).to(.uint8)
        for (layer, width) in [("stem", 4 * 8 * 8), ("layer2", 8 * 5 * 5), ("layer4", 32 * 2 * 2)] {
            let shape = inference { Representation.layer(layer, of: encoder, width: 256).features(pixels) }.shape
            #expect(shape == [2, width], "\(layer)")
        }
    }

    @Test func unknownLayersAreRefusedInOneLine() throws {
        let error = #expect(throws: EvaluationError.self) {
            try evaluate("linear", .cycling(12, 2), .cycling(6, 2), changes: ["linear.layers=layer9"])
        }
        #expect(error?.description.contains("layer4") == true)
    }

    // MARK: Fine-tuning

    @Test func fineTuningBeginsWithTheEncodersWeights() throws {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        let before = encoder.stateDict.mapValues { $0.bytes }
        let images = Labelled.cycling(24, 2)
        func plan(_ rate: Double) -> FineTuneRecipe.Plan { .init(length: .epochs(1), batchSize: 12, learningRate: rate) }
        let tuning = FineTuning(plans: { _, _ in [plan(0.2)] }, leastSteps: 30, seed: 0, threads: 0, device: .cpu)
        let recipe = try tuning.recipe(from: encoder, images: 24, plan: plan(0.2))
        #expect(recipe.training.epochs == 15 && recipe.training.batchSize == 12 && recipe.training.optimizer.nesterov)
        let outcome = try tuning(from: encoder, on: images.subset(Array(0..<24)), test: Labelled.cycling(20, 2, stream: 1))
        #expect(outcome.correct.count { $0 } >= 18)
        #expect(encoder.stateDict.mapValues { $0.bytes } == before)
        // A rate that changes nothing leaves chance: the weights that it begins with decide.
        let other = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        var still = tuning
        still.plans = { _, _ in [plan(1e-9)] }
        still.leastSteps = 1
        func features(_ encoder: Encoder) throws -> [Bool] {
            try still(from: encoder, on: images.subset(Array(0..<24)), test: Labelled.cycling(20, 2, stream: 1)).correct
        }
        #expect(try features(encoder) == features(encoder))
        _ = other
    }

    @Test func fineTunedRowsForSharesAndTheSupervisedBaseline() throws {
        let outcome = try evaluate(
            "finetune", .cycling(40, 2), .cycling(20, 2, stream: 1),
            changes: [
                "finetune.shares=[0.1,1]", "finetune.learningRates=[0.2]", "finetune.epochs=1", "finetune.leastSteps=10",
                "finetune.batchSize=8",
            ])
        #expect(
            outcome.results.map { "\($0.encoder) \($0.metric) \($0.trainImages ?? 0)" } == [
                "mine top-1 10 % 4", "mine top-1 100 % 40", "random encoder top-1 10 % 4", "random encoder top-1 100 % 40",
            ])
    }

    /// Every recipe as it is, but for its length.
    @Test(arguments: FineTuneRecipe.allCases.filter { $0 != .bit })
    func everyRecipeTrains(recipe: FineTuneRecipe) throws {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols(
            "finetune",
            changes: [
                "finetune.recipe=\(recipe.rawValue)", "finetune.epochs=2", "finetune.leastSteps=1", "finetune.shares=[0.5]",
                "finetune.layerDecay=0.8", "finetune.batchSize=8",
            ] + (recipe == .simclrTransfer ? ["finetune.learningRates=[0.05]"] : []))
        evaluator.randomEncoders = 0
        evaluator.loaderThreads = 1
        evaluator.head = try ProjectionHead(["0.weight": .randn([6, 32]), "0.bias": .zeros([6]), "2.weight": .randn([4, 6])], inputs: 32)
        let before = encoder.stateDict.mapValues { $0.bytes }
        let outcome = try evaluator(encoder, name: "mine", train: Labelled.cycling(40, 2), test: Labelled.cycling(20, 2), folder: nil)
        #expect(outcome.results.map(\.metric) == ["top-1 50 %"] && outcome.results[0].trainImages == 20)
        #expect(encoder.stateDict.mapValues { $0.bytes } == before)
    }

    /// Every chooser has a curve that ends where all of them do, and is told from class-balanced draws.
    @Test func choicesOfImagesAreCurves() throws {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
        var efficiency = LabelEfficiency()
        efficiency.choosers = LabelChooser.allCases
        (efficiency.labelsPerClass, efficiency.draws, efficiency.networkDraws) = ([1, 4], 2, 0)
        // An image without a label is none that could be asked for.
        let train = Labelled(labels: (0..<40).map { $0 == 7 ? nil : $0 % 3 }, classNames: (0..<3).map { "class \($0)" })
        let found = try efficiency(encoder, name: "mine", train: train, test: Labelled.cycling(30, 3, stream: 1), folder: nil)
        #expect(
            found.curves.map(\.name) == ["mine, linear", "random encoder, linear"]
                + LabelChooser.allCases.map { "mine, linear, \($0.rawValue)" })
        for curve in found.curves.dropFirst(2) {
            #expect(curve.points.map(\.labels) == [3, 12, 39] && curve.points.map(\.draws.count) == [2, 2, 1])
            #expect(curve.points.last?.value == found.curves[0].points.last?.value)
        }
    }

    // MARK: Distillation

    /// Colours are easy: what is tested is that teacher and student are trained, saved and tested as said.
    @Test func aStudentLearnsFromTheTeacherAndBothAreKept() throws {
        try withTemporaryFolder { folder in
            Runtime.seed(3)
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
            let before = encoder.stateDict.mapValues { $0.bytes }
            var training = SelfTraining()
            training.tuning.learningRates = [0.2]
            (training.tuning.epochs, training.tuning.leastSteps) = (1, 30)
            (training.share, training.epochs, training.batchSize, training.labelWeight) = (0.2, 8, 16, 0.25)
            training.learningRate = 0.4
            training.student = BackboneSettings("resnet18", width: 6, stem: .small)
            let outcome = try training(
                encoder, train: Labelled.cycling(60, 2), unlabelled: Labelled.cycling(20, 2, stream: 2),
                test: Labelled.cycling(30, 2, stream: 1),
                folder: folder)
            #expect(outcome.results.map { "\($0.encoder) \($0.trainImages ?? 0)" } == ["teacher 12", "student 80"])
            #expect(outcome.results.allSatisfy { $0.value > 0.8 && $0.testImages == 30 })
            #expect(abs(outcome.differences[0].value - (outcome.results[1].value - outcome.results[0].value)) < 1e-12)
            #expect(encoder.stateDict.mapValues { $0.bytes } == before)
            for (path, width) in [("\(folder)/teacher", 32), (folder, 48)] {
                let kept = try Encoder(BackboneSettings("resnet18", width: width / 8), imageSize: 16)
                try kept.load(Safetensors.read("\(path)/encoder.safetensors").tensors)
                #expect(try Safetensors.read("\(path)/classifier.safetensors").tensors["classifier.weight"]?.shape == [2, width])
            }
            let error = #expect(throws: EvaluationError.self) {
                try training(encoder, train: Labelled.cycling(60, 2), unlabelled: nil, test: Labelled.cycling(30, 2), folder: folder)
            }
            #expect(error?.description.contains("already holds a run") == true)
            // The paper's temperatures: of another network, and of the teacher's own.
            func temperature() -> Double? {
                (training.recipe(from: encoder, teacher: "t").method.settings as? Distillation.Settings)?.temperature
            }
            #expect(temperature() == 1)
            training.student = nil
            #expect(temperature() == 0.1)
            training.temperature = 3
            #expect(temperature() == 3)
        }
    }

    // MARK: Awkward data

    @Test func twoClassesOneOfOneImage() throws {
        let names = ["many", "one"]
        let train = Labelled(labels: [1] + [Int](repeating: 0, count: 15), classNames: names)
        let test = Labelled(labels: [0, 1, 0, 1], classNames: names, stream: 1)
        let outcome = try evaluate(frozen, train, test, changes: quick)
        #expect(outcome.results.allSatisfy { $0.value.isFinite && $0.testImages == 4 })
        let short = outcome.results.first { $0.metric == "top-1 k=2 logistic" }
        #expect(short?.trainImages == 3 && short?.note == "1 classes have fewer than 2 images, all of which are used")
    }

    @Test func classesMissingFromTheTestSplit() throws {
        let names = (0..<4).map { "class \($0)" }
        let test = Labelled(labels: [0, 1, 0, 1, 0, 1], classNames: names, stream: 1)
        let outcome = try evaluate(frozen, .cycling(40, 4), test, changes: quick)
        // As many clusters as classes that are there.
        #expect(outcome.results.first { $0.protocolName == "cluster" }?.setting == "k=2")
        #expect(outcome.results.first { $0.encoder == "raw pixels" && $0.metric == "mAP" }!.value > 0.9)
    }

    @Test func greyImagesAndImagesWithoutALabel() throws {
        let names = ["dark", "light"]
        let train = Labelled(labels: (0..<24).map { $0 % 3 == 2 ? nil : $0 % 3 }, classNames: names, grey: true)
        let test = Labelled(labels: (0..<12).map { $0 % 3 == 2 ? nil : $0 % 3 }, classNames: names, grey: true, stream: 1)
        let outcome = try evaluate(frozen, train, test, changes: quick)
        for row in outcome.results {
            #expect(row.testImages == 8, "\(row.protocolName) \(row.metric)")
            if row.encoder == "raw pixels", ["knn", "linear", "retrieve"].contains(row.protocolName) { #expect(row.value > 0.9) }
        }
        #expect(outcome.results.filter { $0.protocolName == "knn" }.allSatisfy { $0.trainImages == 16 })
    }

    @Test func aTestSplitWithoutLabelsIsRefusedInOneLine() throws {
        let test = Labelled(labels: [nil, nil], classNames: ["class 0", "class 1"])
        for name in frozen.split(separator: ",") {
            let error = #expect(throws: (any Error).self) {
                try evaluate(String(name), .cycling(20, 2), test, changes: quick.filter { $0.hasPrefix(name) })
            }
            #expect(error.map { "\($0)".contains("\n") } == false)
        }
    }
}

@Suite(.serialized) struct ComparisonTests {
    private func makeEncoder(_ seed: UInt64) throws -> Encoder {
        Runtime.seed(seed)
        return try Encoder(BackboneSettings("resnet18", width: 4), imageSize: 16)
    }

    @Test func everyPairIsComparedOverTheSameImages() throws {
        var evaluator = Evaluator()
        evaluator.protocols = try ProtocolRegistry.protocols("knn,lowshot", changes: ["lowshot.draws=3", "lowshot.shots=[1]"])
        evaluator.loaderThreads = 1
        let (train, test) = (Labelled.cycling(36, 3), Labelled.cycling(18, 3, stream: 1))
        let (a, b) = (try makeEncoder(1), try makeEncoder(2))
        let outcome = try evaluator.compare(
            [.init(a, name: "a"), .init(b, name: "b"), .init(a, name: "again")], train: train, test: test, folder: nil)
        func value(_ name: String, _ metric: String) -> Double {
            outcome.results.first { $0.encoder == name && $0.metric == metric }!.value
        }
        #expect(Set(outcome.differences.map { "\($0.encoder)-\($0.baseline)" }) == ["a-b", "a-again", "b-again"])
        for difference in outcome.differences {
            #expect(
                abs(difference.value - (value(difference.encoder, difference.metric) - value(difference.baseline, difference.metric)))
                    < 1e-12)
            // The same encoder on the same images and draws differs by nothing, and surely so.
            if difference.baseline == "again", difference.encoder == "a" { #expect(difference.lower == 0 && difference.upper == 0) }
        }
        #expect(throws: EvaluationError.self) {
            try evaluator.compare([.init(a, name: "a"), .init(b, name: "a")], train: train, test: test, folder: nil)
        }
    }
}
