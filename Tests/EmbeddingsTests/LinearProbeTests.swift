@testable import Embeddings
import Testing
import Torch

@Suite struct LinearProbeTests {
    @Test(arguments: [DataType.float32, .float64])
    func lbfgsAgreesWithScikitLearn(_ arithmetic: DataType) throws {
        let penalties = try References.tensor("linear.penalties").doubles
        let losses = try References.tensor("linear.losses").doubles
        let predictions = try References.tensor("linear.predictions")
        for (index, penalty) in penalties.enumerated() {
            let probe = LinearProbe(.lbfgs(.init(values: [penalty], iterations: 2000, tolerance: 1e-6, arithmetic: arithmetic)))
            let (found, fit) = try probe.evaluate(train: .reference("train"), test: .reference("test"))
            #expect(fit.final.converged && fit.trials.isEmpty)
            #expect(abs(fit.final.loss! - losses[index]) < 1e-5)
            let expected = predictions[index].ints
            let same = zip(found.predictions, expected).count { $0 == $1 }
            #expect(Double(same) >= 0.995 * Double(expected.count))
        }
        // The losses are far enough apart to tell a penalty that is scaled wrongly.
        #expect(abs(losses[0] - losses[1]) > 0.05 && abs(losses[1] - losses[2]) > 0.05)
    }

    @Test func weightsAgreeWithScikitLearn() throws {
        let settings = LinearProbe.Penalties(values: [1], iterations: 2000, tolerance: 1e-8, arithmetic: .float64)
        let fit = try LinearProbe(.lbfgs(settings)).fit(.reference("train"))
        #expect(largestDifference(fit.classifier.weight, try References.tensor("linear.weight")) < 1e-4)
        let bias = fit.classifier.bias
        #expect(largestDifference(bias - bias.mean(), try References.tensor("linear.bias")) < 1e-4)
    }

    /// scikit-learn fits one vector w for two classes: ours are ∓w/2 at twice its penalty.
    @Test func twoClassesAgreeWithScikitLearn() throws {
        let train = try Features.reference("train")
        let two = train.picked(train.labels.indices.filter { train.labels[$0] < 2 })
        let settings = LinearProbe.Penalties(values: [1], iterations: 2000, tolerance: 1e-8, arithmetic: .float64)
        // scikit-learn's scaling is that of all seven classes.
        let standard = Standardization(of: train.matrix)
        let objective = SoftmaxRegression(
            features: standard.apply(two.matrix).to(.float64), targets: Tensor(two.labels), classes: 2, penalty: 1)
        let found = LBFGS(iterations: 2000, gradientTolerance: 1e-9).minimize(from: objective.start, objective.callAsFunction)
        let weight = found.point.reshaped(2, 33).narrowed(1, from: 0, count: 32)
        #expect(largestDifference(weight[1] - weight[0], try References.tensor("linear.two.weight")[0]) < 1e-3)
        #expect(largestDifference(weight[1], -weight[0]) < 1e-6)
        #expect(try LinearProbe(.lbfgs(settings)).fit(two).classifier.classes == [0, 1])
    }

    /// The gradient against central differences.
    @Test func gradient() {
        let features = normal(40, 5, seed: 20).to(.float64)
        let targets = Tensor((0..<40).map { $0 % 3 })
        let objective = SoftmaxRegression(features: features, targets: targets, classes: 3, penalty: 2.5)
        let point = normal(1, 18, seed: 21).to(.float64).reshaped(-1)
        let (_, gradient) = objective(point)
        for index in 0..<18 {
            let step = Tensor.eye(18, .float64)[index] * 1e-5
            let numeric = (objective(point + step).loss - objective(point - step).loss) / 2e-5
            #expect(abs(numeric - gradient[index].item) < 1e-8)
        }
    }

    @Test func theGridIsLeftWhereWeakerPenaltiesAreSurelyWorse() throws {
        // One standard error of 0.5 among 100 is 0.05.
        #expect(!LinearProbe.isPast([0.5, 0.39], of: 100) && !LinearProbe.isPast([0.5, 0.39, 0.41], of: 100))
        #expect(LinearProbe.isPast([0.2, 0.5, 0.39, 0.38], of: 100) && !LinearProbe.isPast([0.39, 0.38, 0.5], of: 100))
        #expect(!LinearProbe.isPast([0.5, 0.39, 0.38], of: 25) && !LinearProbe.isPast([1, 1, 1], of: 10))

        // More dimensions of noise than images: a weak penalty learns it by heart.
        let (count, width) = (2000, 1500)
        let labels = (0..<count).map { $0 % 2 }
        let signal = Tensor(labels.map { Double($0) - 0.5 }).to(.float32).unsqueezed(1)
        let noise = normal(count, width, seed: 24)
        let features = Features(
            matrix: Tensor.concatenated([noise, signal + normal(count, 1, seed: 25)], dimension: 1), labels: labels, classNames: ["a", "b"])
        let fit = try LinearProbe().fit(features)
        #expect((3..<9).contains(fit.trials.count) && fit.trials.map(\.value) == fit.trials.map(\.value).sorted(by: >))
        #expect(fit.final.value > fit.trials.last!.value && fit.final.accuracy == fit.trials.compactMap(\.accuracy).max())
    }

    @Test func foldsHoldEveryRowOnce() {
        let labels = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2]
        let folds = HoldOut.folds(labels, count: 5, seed: 4)
        #expect(folds.flatMap(\.held).sorted() == Array(0..<11) && folds.map(\.held.count) == [3, 2, 2, 2, 2])
        for (fit, held) in folds {
            #expect((fit + held).sorted() == Array(0..<11) && (1...2).contains(held.count { labels[$0] == 0 }))
        }
        #expect(HoldOut.folds(labels, count: 5, seed: 5).map(\.held) != folds.map(\.held))
        #expect(HoldOut.folds([0, 1], count: 5, seed: 1).map(\.held.count) == [1, 1])
    }

    /// A dozen images of unequal classes, as random labelling gives them: a fifth of them would choose by luck, and a constant
    /// classifier is right for the largest class.
    @Test func fewImagesAreChosenByInTurn() throws {
        let labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
        let centres = normal(3, 16, seed: 27) * 2
        func images(_ labels: [Int], _ seed: UInt64) -> Features {
            Features(
                matrix: centres.rows(Tensor(labels)) + normal(labels.count, 16, seed: seed) * 1.5, labels: labels,
                classNames: ["a", "b", "c"])
        }
        let test = images((0..<300).map { $0 % 3 }, 28)
        let accuracies = try (0..<8).map { draw in
            let (found, fit) = try LinearProbe().evaluate(train: images(labels, UInt64(30 + draw)), test: test)
            #expect(fit.heldOutImages == 12)
            return found.top1!.estimate
        }
        // One class only is a third.
        #expect(accuracies.allSatisfy { $0 > 0.6 }, "\(accuracies)")
    }

    /// Two settings that are equally right on the held-out images: the one that is surer of it.
    @Test func tiesGoToTheLowerLoss() throws {
        let labels = (0..<20).map { $0 % 2 }
        let places = Tensor(labels.map { Double($0) * 2 - 1 }).to(.float32).unsqueezed(1)
        let features = Features(matrix: places + normal(20, 1, seed: 26) * 0.1, labels: labels, classNames: ["a", "b"])
        let fit = try LinearProbe(.lbfgs(.init(values: [1e5, 1]))).fit(features)
        #expect(fit.trials.map(\.accuracy) == [1, 1] && fit.final.value == 1)
    }

    /// One pass over the rows against libtorch's operations in float64: widths and classes that fill no vector, more rows than one sum
    /// holds, scores so far apart that probabilities are 0.
    @Test(
        .enabled(if: SoftmaxLoss.isFast, "this processor has no 512-bit units"),
        arguments: [(1, 1, 2), (37, 5, 3), (700, 37, 5), (3000, 128, 10), (900, 512, 33), (300, 3072, 100), (400, 768, 200)])
    func onePassIsWhatOperationsGive(count: Int, width: Int, classes: Int) {
        // Scores of up to 10 and of up to 5,000, whose float32 rounding is that much larger.
        for (scale, tolerance) in [(0.1, 1e-6), (30, 1e-5)] {
            let features = normal(count, width, seed: 22)
            let targets = Tensor((0..<count).map { ($0 * 7 + $0 / 5) % classes })
            let point = normal(1, classes * (width + 1), seed: 23).reshaped(-1).to(.float64) * scale
            let fused = SoftmaxRegression(features: features, targets: targets, classes: classes, penalty: 2.5)
            let plain = SoftmaxRegression(features: features.to(.float64), targets: targets, classes: classes, penalty: 2.5)
            #expect(fused.isFused && !plain.isFused)
            let (found, wanted) = (fused(point), plain(point))
            #expect(abs(found.loss - wanted.loss) < tolerance * abs(wanted.loss))
            #expect(largestDifference(found.gradient, wanted.gradient) < tolerance * wanted.gradient.abs().max().item)
            #expect(fused(point).gradient.bytes == found.gradient.bytes)
        }
    }

    @Test func rosenbrock() {
        let found = LBFGS(iterations: 200, gradientTolerance: 1e-9).minimize(from: Tensor([-1.2, 1.0])) { x in
            let (a, b) = (x[0].item, x[1].item)
            let loss = (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)
            return (loss, Tensor([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]))
        }
        #expect(found.stop == .gradient && found.iterations < 60)
        #expect(largestDifference(found.point, Tensor([1.0, 1.0])) < 1e-6)
        // Not enough iterations is told.
        let short = LBFGS(iterations: 3, gradientTolerance: 1e-9).minimize(from: Tensor([5.0])) { x in
            (x[0].pow(4).item, x.pow(3) * 4)
        }
        #expect(short.stop == .iterations)
    }

    @Test func sweepChoosesOnTheTrainingSplitOnly() throws {
        let probe = LinearProbe()
        let train = try Features.reference("train")
        let (found, fit) = try probe.evaluate(train: train, test: .reference("test"))
        #expect(fit.trials.count == 9 && fit.trials.map(\.value) == fit.trials.map(\.value).sorted(by: >))
        #expect(fit.heldOutImages == 84)
        #expect(fit.final.accuracy == fit.trials.compactMap(\.accuracy).max())
        // Close to the best of scikit-learn's three.
        let best = try (0..<3).map { index in
            Metrics.accuracy(try Features.reference("test").labels, try References.tensor("linear.predictions")[index].ints)
        }.max()!
        #expect(found.top1!.estimate > best - 0.03)
        #expect(found.top5!.estimate > found.top1!.estimate)
        // The test split has no part in the fit: other test images, the same classifier.
        var other = try Features.reference("test")
        other.matrix = other.matrix * 3 + 1
        let again = try probe.evaluate(train: train, test: other).fit
        #expect(again.classifier.weight.floats == fit.classifier.weight.floats && again.trials == fit.trials)
        // Another seed, another held-out part.
        var seeded = probe
        seeded.seed = 5
        #expect(try seeded.fit(train).trials.map(\.accuracy) != fit.trials.map(\.accuracy))
    }

    @Test func heldOutPartIsStratified() {
        let labels = Array(repeating: 0, count: 50) + Array(repeating: 1, count: 10) + [2, 2] + [3] + Array(repeating: 4, count: 4)
        let (fit, held) = HoldOut.stratified(labels, share: 0.2, seed: 1)
        #expect((fit + held).sorted() == Array(labels.indices))
        let counts = (0..<5).map { label in held.count { labels[$0] == label } }
        #expect(counts == [10, 2, 1, 0, 1])
        #expect(HoldOut.stratified(labels, share: 0.2, seed: 1).held == held)
        #expect(HoldOut.stratified(labels, share: 0.2, seed: 2).held != held)
        let most = HoldOut.stratified([0, 0, 0], share: 0.99, seed: 1)
        #expect(most.fit.count == 1 && most.held.count == 2)
    }

    @Test func standardizationDropsConstants() {
        let matrix = Tensor.concatenated([normal(200, 3, seed: 22) * 5 + 100, Tensor.full([200, 2], 0.1)], dimension: 1)
        let standard = Standardization(of: matrix)
        #expect(standard.constantDimensions == 2)
        let applied = standard.apply(matrix)
        #expect(largestDifference(applied.mean(0), .zeros([5])) < 1e-4)
        #expect(largestDifference(applied.variance(0, correction: 0), Tensor([1, 1, 1, 0, 0] as [Float])) < 1e-4)
        // What is constant in training says nothing, whatever it is in the test split.
        #expect(standard.apply(.full([1, 5], 7)).narrowed(1, from: 3, count: 2).abs().max().item == 0)
    }

    @Test func awkwardSplits() throws {
        // A class without training images, one with a single image, constant columns, n < d.
        var train = Features.clouds(4, perClass: 6, width: 40, seed: 23)
        train.labels = train.labels.enumerated().map { $1 == 3 ? ($0 == 3 ? 3 : -1) : $1 }
        train.classNames.append("never")
        train.matrix = .concatenated([train.matrix, .ones([24, 3])], dimension: 1)
        var test = Features.clouds(3, perClass: 10, width: 40, seed: 24)
        test.matrix = .concatenated([test.matrix, .zeros([30, 3])], dimension: 1)
        let (found, fit) = try LinearProbe().evaluate(train: train, test: test)
        #expect(fit.classifier.classes == [0, 1, 2, 3])
        #expect(found.top1!.estimate > 0.8)
        #expect(found.ranked.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
        #expect(found.notes.contains { $0.contains("1 of 5 classes have no training image") })
        #expect(found.notes.contains { $0.contains("5 training images have no label") })
        #expect(found.notes.contains { $0.contains("3 of 43 dimensions are constant") })

        // One image of each class: nothing to choose by.
        let single = try LinearProbe().fit(.clouds(5, perClass: 1, seed: 25))
        #expect(single.trials.isEmpty && single.final.accuracy == nil && single.heldOutImages == 0)
        #expect(single.notes.contains { $0.contains("without a choice") })
        // All features constant: the most frequent class.
        let same = Features(matrix: .ones([5, 3]), labels: [1, 1, 1, 0, 0], classNames: ["a", "b"])
        #expect(try LinearProbe().evaluate(train: same, test: same).classification.predictions == [1, 1, 1, 1, 1])
    }

    @Test func separableClassesAreLearnt() throws {
        let train = Features.clouds(2, perClass: 60, distance: 12, seed: 26)
        let (found, fit) = try LinearProbe().evaluate(train: train, test: .clouds(2, perClass: 50, distance: 12, seed: 27))
        #expect(found.top1!.estimate > 0.97 && fit.final.converged)
        #expect(found.top5?.estimate == 1)
    }

    @Test func descentComesCloseToLBFGS() throws {
        let (train, test) = (try Features.reference("train"), try Features.reference("test"))
        let reference = try LinearProbe().evaluate(train: train, test: test).classification.top1!.estimate
        var settings = LinearProbe.Descent()
        settings.batch = 64
        settings.epochs = 40
        let (found, fit) = try LinearProbe(.descent(settings)).evaluate(train: train, test: test)
        #expect(fit.trials.count == 9 && fit.trials.map(\.value) == settings.learningRates.sorted())
        #expect(found.top1!.estimate > reference - 0.05)
        #expect(try LinearProbe(.descent(settings)).fit(train).classifier.weight.floats == fit.classifier.weight.floats)
    }

    /// One step on one batch, from zero weights: W = η (batch / 256) (onehot − 1/C)ᵀ X / n.
    @Test func descentTakesTheStepItSays() {
        let x = normal(32, 4, seed: 28)
        let targets = (0..<32).map { $0 % 3 }
        var settings = LinearProbe.Descent()
        settings.epochs = 1
        settings.batch = 32
        let problem = LinearProbe.Problem(features: StandardizedRows(x), targets: targets, classes: 3)
        let found = MinibatchDescent(settings: settings, seed: 0).solve(problem, [0.5, 2])
        let residual = Tensor(targets).oneHot(3).to(.float32) - 1.0 / 3
        for (layer, rate) in [0.5, 2].enumerated() {
            let expected = residual.t.matmul(x) * (rate * 32 / 256 / 32)
            #expect(largestDifference(found[layer].weight, expected) < 1e-6)
        }
    }

    @Test func aDivergedLearningRateIsLeftAlone() throws {
        let train = Features.clouds(3, perClass: 40, seed: 29)
        var settings = LinearProbe.Descent()
        settings.learningRates = [0.1, 1e40]
        settings.batch = 16
        settings.epochs = 5
        let fit = try LinearProbe(.descent(settings)).fit(train)
        #expect(fit.final.value == 0.1)
        #expect(fit.trials[1].loss == nil && !fit.trials[1].converged && fit.trials[1].accuracy == 0)
        settings.learningRates = [0.1]
        let alone = try LinearProbe(.descent(settings)).fit(train)
        #expect(alone.classifier.weight.floats == fit.classifier.weight.floats)
    }

    @Test func orderOfImagesDoesNotMatter() throws {
        let train = try Features.reference("train")
        let settings = LinearProbe.Penalties(values: [1], iterations: 2000, tolerance: 1e-8, arithmetic: .float64)
        var random = SplitMix64(seed: 30)
        let a = try LinearProbe(.lbfgs(settings)).fit(train)
        let b = try LinearProbe(.lbfgs(settings)).fit(train.picked(random.permutation(train.count)))
        #expect(largestDifference(a.classifier.weight, b.classifier.weight) < 1e-5)
    }

    @Test func badInput() throws {
        let train = Features.clouds(3, perClass: 20, seed: 31)
        func failure(_ body: () throws -> Void) -> FeatureError.Kind? { message(body)?.kind }
        #expect(failure { _ = try LinearProbe().evaluate(train: train, test: .clouds(3, perClass: 2, width: 5, seed: 1)) } == .width)
        var one = train
        one.labels = one.labels.map { _ in 2 }
        #expect(failure { _ = try LinearProbe().fit(one) } == .tooFewClasses)
        one.labels = one.labels.map { _ in -1 }
        #expect(failure { _ = try LinearProbe().fit(one) } == .tooFewClasses)
        var bad = train
        bad.matrix = train.matrix.cloned()
        bad.matrix.indexCopyInPlace(0, Tensor([4]), Tensor.full([1, 8], .nan))
        let told = message { _ = try LinearProbe().fit(bad) }
        #expect(told?.kind == .notFinite && told?.description.contains("1 of 60 rows, first in row 4") == true)
        #expect(failure { _ = try LinearProbe().evaluate(train: train, test: bad) } == .notFinite)
        #expect(failure { _ = try LinearProbe(.lbfgs(.init(values: []))).fit(train) } == .setting)
        #expect(failure { _ = try LinearProbe(.lbfgs(.init(values: [-1]))).fit(train) } == .setting)
        var share = LinearProbe()
        share.heldOut = 1
        #expect(failure { _ = try share.fit(train) } == .setting)
        var descent = LinearProbe.Descent()
        descent.batch = 0
        #expect(failure { _ = try LinearProbe(.descent(descent)).fit(train) } == .setting)
    }
}
