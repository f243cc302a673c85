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
        // Lists need no brackets, which shells would take for patterns.
        let plain = try ProtocolRegistry.protocols(
            "lowshot,finetune", changes: ["lowshot.classifiers=svm,centroid", "finetune.shares=0.01,0.5", "finetune.learningRates=0.1"])
        #expect((plain[0] as? LowShotProtocol)?.classifiers == [.svm, .centroid])
        let tuning = try #require(plain[1] as? FineTuneProtocol)
        #expect(tuning.shares == [0.01, 0.5] && tuning.learningRates == [0.1])
        for (list, change, part) in [
            ("lineer", "", "did you mean 'linear'"), ("knn", "knn.neighbors=3", "did you mean 'neighbours'"),
            ("knn", "mlp.epochs=3", "not among"),
            ("knn", "knn.neighbours=many", "does not fit; the default is half the images per class, at most 200"),
            ("cluster", "cluster.clusters=few", "does not fit; the default is the number of classes"),
            ("transfer", "transfer.epochs=long", "does not fit; the default is the recipe's"),
            ("finetune", "finetune.shares=1%,10%", "finetune.shares=1%,10% does not fit; the default is 0.01,0.1,1.0"),
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

    @Test func oneAnswerForAllImagesIsSaid() throws {
        let constant = Classification(
            labels: [0, 1, 1, -1], ranked: [[1], [1], [1], [0]], classNames: ["a", "b"], notes: ["first", "second"])
        let score = try Score.accuracies("linear", setting: nil, split: "test", constant, trainImages: 3)[0]
        // The image without a label was answered otherwise.
        #expect(score.note == "first; second")
        var same = constant
        same.ranked[3] = [1]
        #expect(
            try Score.accuracies("linear", setting: nil, split: "test", same, trainImages: 3)[0].note?.hasPrefix(
                "every image is taken for b; ") == true)
        same.labels = [1, 1, 1, -1]
        #expect(try Score.accuracies("linear", setting: nil, split: "test", same, trainImages: 3)[0].note == "first; second")
    }

    @Test func aDivergedMLPIsNoAccuracy() throws {
        let error = #expect(throws: EvaluationError.self) {
            try evaluate(
                "mlp", .cycling(36, 3), .cycling(18, 3, stream: 1), random: 0, changes: ["mlp.learningRates=1e12", "mlp.epochs=5"])
        }
        #expect(error?.description.contains("diverged") == true && error?.description.contains("mlp.learningRates") == true)
    }

    /// Student's interval over two seeds is wide; a share of images is not below 0 or above 1, and two differ by 1 at most.
    @Test func sharesAndTheirDifferencesKeepTheirBounds() throws {
        func score(_ values: [Bool]) -> Score { Score("mlp", "top-1", split: "held-out fifth", correct: values, trainImages: 9) }
        let found = Score.merged([[score([true, true, false, true])], [score([true, false, false, false])]])[0]
        #expect(found.value == 0.5 && found.interval!.low == 0 && found.interval!.high == 1)
        let other = Score.merged([[score([false, false, false, true])], [score([true, true, true, true])]])[0]
        let difference = try #require(found.minus(other, "mine", "other"))
        #expect(difference.lower == -1 && difference.upper == 1)
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

    @Test func aLayerThatIsNamedTwiceIsMeasuredOnce() throws {
        let outcome = try evaluate(
            "linear", .cycling(24, 3), .cycling(12, 3, stream: 1),
            changes: ["linear.layers=layer1,layer1", "linear.penalties=1", "linear.pooledWidth=64"])
        #expect(outcome.results.filter { $0.encoder == "mine" }.map(\.metric) == ["top-1", "top-1 layer1"])
    }

    /// Seeds of k-means are no sample of images: what differs between them says nothing of other images.
    @Test func clustersOfSeveralSeedsHaveNoDifferences() throws {
        let scores = [0.4, 0.5].map { [Score("cluster", "NMI", split: "test", value: $0, trainImages: 0, testImages: 30)] }
        let merged = Score.merged(scores)
        #expect(merged[0].value == 0.45 && merged[0].interval != nil)
        #expect(merged[0].minus(merged[0], "a", "b") == nil)
    }

    @Test func theTestSplitHasNoSayInTheChoiceOfTheLayer() throws {
        let test = Labelled.cycling(30, 3, stream: 1)
        func choices(_ change: Int) throws -> (chosen: [String?], best: [String]) {
            // Other labels, or other pictures: accuracies change, the choice must not.
            struct Changed: ImageDataset {
                let base: Labelled
                let change: Int
                var count: Int { base.count }
                var classNames: [String] { base.classNames }
                func label(at index: Int) -> Int? { change == 0 ? base.labels[index] : (index * index / 7 + index / change) % 3 }
                func name(at index: Int) -> String { base.name(at: index) }
                func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
                    var image = try base.image(at: index, coveringAtLeast: target)
                    guard change > 1 else { return image }
                    // Every other picture is a negative, with stripes.
                    for place in image.pixels.indices where (index + place / 50) % 2 == 0 {
                        image.pixels[place] = 255 - image.pixels[place]
                    }
                    return image
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
                encoder, name: "mine", train: Labelled.cycling(60, 3), test: Changed(base: test, change: change), folder: nil)
            let chosen = outcome.results.filter { $0.metric == "top-1 chosen layer" }
            let best = ["mine", "random encoder"].map { name in
                let layers = outcome.results.filter { $0.encoder == name && $0.metric.hasPrefix("top-1 ") && $0.metric != chosen[0].metric }
                return String(layers.max { $0.value < $1.value }!.metric.dropFirst(6))
            }
            return (chosen.map(\.setting), best)
        }
        let own = try choices(0).chosen
        // Of the encoder and of the random one.
        #expect(own.count == 2 && own.allSatisfy { $0 != nil })
        let others = try (1...4).map(choices)
        for other in others { #expect(other.chosen == own) }
        // What the test split would choose is another layer for another test split.
        #expect(others.contains { $0.best.map(Optional.some) != own })
    }

    /// As in Zhang et al. 2016, layers are compared at about 9,000 values each: no more than 9,216, in whole squares.
    @Test func layersHaveEqualWidthsOfTheEncoderAndOfTheRandomOne() throws {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 16, stem: .small), imageSize: 64)
        encoder.eval()
        let pixels = Tensor.full([1, 3, 64, 64], 100).to(.uint8)
        let random = try Representation.random(
            like: encoder, seed: 5, calibratedOn: Labelled.cycling(2, 2), FeatureExtraction(imageSize: 64, threads: 0))
        for own in [encoder, random.encoder!] {
            let widths = own.backbone.layerNames.map { layer in
                inference { Representation.layer(layer, of: own, width: LinearProtocol().pooledWidth).features(pixels) }.size(1)
            }
            #expect(widths == [16 * 24 * 24, 16 * 24 * 24, 32 * 16 * 16, 64 * 12 * 12, 128 * 8 * 8])
        }
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

    @Test func linearClassifiersLearnFromFurtherViews() throws {
        func raw(_ views: Int, test: Labelled?) throws -> EvaluationResult {
            let outcome = try evaluate(
                "linear", .cycling(40, 2), test, random: 0, changes: ["linear.augmentations=\(views)", "linear.penalties=3"])
            return try #require(outcome.results.first { $0.encoder == "raw pixels" && $0.metric == "top-1" })
        }
        let test = Labelled.cycling(20, 2, stream: 1)
        let (plain, augmented) = (try raw(0, test: test), try raw(2, test: test))
        #expect(plain.value == 1 && augmented.value == 1)
        // The penalty is chosen on images as they are, and views are no images.
        let setting = try #require(plain.setting)
        #expect(augmented.setting == "\(setting), 2 further views" && augmented.trainImages == 40)
        let held = try raw(2, test: nil)
        #expect(held.value == 1 && held.trainImages == 32 && held.testImages == 8)
    }

    /// Grey pictures of one class are bright on the left, those of the other on the right: a flip is seen.
    @Test(arguments: [true, false]) func furtherViewsAreOfTheImagesThatAreFitted(isDivided: Bool) throws {
        func images(_ count: Int, stream: Int) -> Labelled {
            Labelled(labels: (0..<count).map { $0 % 3 == 2 ? nil : $0 % 3 }, classNames: ["a", "b"], grey: true, stream: stream)
        }
        let extraction = FeatureExtraction(imageSize: 16, threads: 0)
        let data = EvaluationData(
            train: images(60, stream: 0), test: isDivided ? images(9, stream: 1) : nil, extraction: extraction, seed: 4)
        let subject = EvaluationSubject(try data.splits(of: .rawPixels), .rawPixels, data, seed: 4)
        let (train, _, _) = try subject.division()
        #expect(train.labelled.count == (isDivided ? 40 : 32))
        let views = try #require(try subject.furtherViews(3, as: .rawPixels))
        #expect(views.count == 3 * train.labelled.count && views.width == train.width)
        #expect(Array(views.labels.prefix(train.labelled.count)) == train.labelled.labels)
        func flipped(_ features: Features) -> Int {
            let rows = features.matrix.reshaped(features.count, 3, 16, 16)
            let (left, right) = (
                rows.narrowed(3, from: 0, count: 4).flattened(from: 1), rows.narrowed(3, from: 12, count: 4).flattened(from: 1)
            )
            // Of class a, level ⅓, the right half is brighter.
            return zip((right.mean(1) - left.mean(1)).doubles, features.labels).count { ($0 > 0) != ($1 == 0) }
        }
        #expect(flipped(train.labelled) == 0 && (views.count / 4...views.count * 3 / 4).contains(flipped(views)))
        // The same under the same seed, another for every view.
        #expect(try subject.furtherViews(3, as: .rawPixels)?.matrix.bytes == views.matrix.bytes)
        let count = train.labelled.count
        #expect(views.matrix[0..<count].bytes != views.matrix[count..<2 * count].bytes)
        #expect(try subject.furtherViews(0, as: .rawPixels) == nil)
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
        evaluator.dataName = "cycling"
        let (train, test) = (Labelled.cycling(36, 3), Labelled.cycling(18, 3, stream: 1))
        let (a, b) = (try makeEncoder(1), try makeEncoder(2))
        let outcome = try evaluator.compare(
            [.init(a, name: "a"), .init(b, name: "b"), .init(a, name: "again")], train: train, test: test, folder: nil)
        func value(_ name: String, _ metric: String) -> Double {
            outcome.results.first { $0.encoder == name && $0.metric == metric }!.value
        }
        #expect(outcome.results.allSatisfy { $0.data == "cycling" })
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
