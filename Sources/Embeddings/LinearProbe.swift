public import Torch
internal import Foundation

/// Linear evaluation: a linear classifier on frozen features (Zhang et al. 2016; Oord et al. 2018; SimCLR, Chen et al. 2020).
///
/// Features are standardised by the training split. The strength of the penalty (or the learning rate) is chosen on a
/// class-stratified part of the *training* split, by accuracy and among equals by loss (where that part would have fewer than 50 images,
/// on every such part in turn, by the mean over classes: cross-validation), then the classifier is fitted to all of it; the
/// test split is read once, by what came out of that.
///
/// - L-BFGS: multinomial logistic regression to convergence, as SimCLR's appendix B.8 (their grid of λ has 45 values from
///   10⁻⁶ to 10⁵; ours has 9 in the same range). From the strongest on, and no further once two in a row are worse than the best by
///   more than two standard errors: the weakest take most of the time.
/// - Descent: minibatch SGD with momentum, no penalty, many learning rates in one pass, as MoCo and DINOv2 evaluate; for
///   splits too large for L-BFGS.
public struct LinearProbe: Sendable, Equatable {
    public enum Solver: Sendable, Equatable {
        case lbfgs(Penalties = Penalties())
        case descent(Descent = Descent())
    }

    /// Settings of L-BFGS.
    public struct Penalties: Sendable, Equatable {
        /// λ of f = Σ_i CE_i + λ/2 ‖W‖²: scikit-learn's 1/C.
        public var values = LinearProbe.logarithmic(from: 1e-6, to: 1e5, count: 9)
        /// At most so many iterations for each λ.
        public var iterations = 500
        /// Converged when the largest entry of the gradient of f/n is at most this.
        public var tolerance = 1e-5
        /// float32 or float64: of products with the features. Sums and softmax are float64 in any case.
        public var arithmetic = DataType.float32

        public init() {}

        public init(values: [Double], iterations: Int = 500, tolerance: Double = 1e-5, arithmetic: DataType = .float32) {
            self.values = values
            self.iterations = iterations
            self.tolerance = tolerance
            self.arithmetic = arithmetic
        }
    }

    /// Settings of SGD. MoCo's are a learning rate of 30 for batches of 256 on features that are not standardised; on
    /// standardised ones the best are around 0.001, hence the grid.
    public struct Descent: Sendable, Equatable {
        /// For batches of 256: scaled by batch / 256 (Goyal et al. 2017).
        public var learningRates = LinearProbe.logarithmic(from: 1e-4, to: 1, count: 9)
        public var epochs = 30
        public var batch = 256
        public var momentum = 0.9

        public init() {}
    }

    public var solver: Solver
    /// The share of each training class that settings are chosen on.
    public var heldOut = 0.2
    /// Whether settings are chosen by the mean over classes instead of accuracy, as where that is what is measured.
    public var choosesByClass = false
    /// Of the held-out part and of the order of minibatches.
    public var seed: UInt64 = 0

    public init(_ solver: Solver = .lbfgs()) { self.solver = solver }

    /// One setting that was tried.
    public struct Trial: Sendable, Equatable, Codable {
        /// λ, or the learning rate.
        public var value: Double
        /// Accuracy on the held-out part; nil when nothing was held out.
        public var accuracy: Double?
        /// Mean loss per fitted image, the penalty included; nil when it diverged.
        public var loss: Double?
        /// Iterations, or epochs.
        public var iterations: Int
        /// Whether L-BFGS reached its tolerance or could not decrease any further, or descent stayed finite.
        public var converged: Bool
    }

    /// What came out of training.
    public struct Fit {
        public var classifier: LinearClassifier
        /// In the order in which they were tried.
        public var trials: [Trial]
        /// The setting that was chosen, and the fit to the whole training split (its `accuracy` is the chosen trial's).
        public var final: Trial
        public var heldOutImages: Int
        /// What a reader of the numbers should know, one line each.
        public var notes: [String]
    }

    /// Fits the training split, on its features' device. Unlabelled images are left out.
    /// - Throws: `FeatureError`: what `Features.check` throws; `.tooFewClasses` with labelled images of fewer than two classes;
    ///   `.setting`.
    public func fit(_ train: Features) throws(FeatureError) -> Fit {
        try checkSettings()
        try train.check("the training features")
        let labelled = train.labelled
        let counts = labelled.classCounts
        let classes = counts.indices.filter { counts[$0] > 0 }
        guard classes.count >= 2 else {
            throw FeatureError(
                .tooFewClasses, "a linear probe needs labelled training images of at least 2 classes, not \(classes.count)")
        }
        let place = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
        let targets = labelled.labels.map { place[$0]! }
        return withoutGradients { run(labelled.matrix.detached(), targets, classes, train) }
    }

    /// Fits the training split and classifies the test split with the result.
    /// - Throws: as `fit`, and `.width` or what `LabelMap` throws when the splits do not fit each other.
    public func evaluate(train: Features, test: Features) throws(FeatureError) -> (classification: Classification, fit: Fit) {
        try test.check("the test features")
        let map = try LabelMap(train: train.classNames, test: test.classNames)
        guard train.matrix.rank == 2, train.width == test.width else {
            throw FeatureError(.width, "the training features are \(train.matrix.summary), the test features \(test.matrix.summary)")
        }
        let fit = try fit(train)
        let classification = Classification(
            labels: map.apply(test.labels), ranked: fit.classifier.ranking(test.matrix), classNames: map.classNames,
            notes: fit.notes + (map.note.map { [$0] } ?? []))
        return (classification, fit)
    }

    /// `count` values with equal ratios, both ends included.
    public static func logarithmic(from low: Double, to high: Double, count: Int) -> [Double] {
        precondition(low > 0 && high > 0 && count >= 1, "\(count) values from \(low) to \(high) cannot be spaced by ratio")
        return (0..<count).map { index in
            if index == 0 { return low }
            return index == count - 1 ? high : low * Foundation.pow(high / low, Double(index) / Double(count - 1))
        }
    }

    // MARK: Choosing

    private func run(_ matrix: Tensor, _ targets: [Int], _ classes: [Int], _ train: Features) -> Fit {
        var notes: [String] = []
        let missing = train.classNames.count - classes.count
        if missing > 0 { notes.append("\(missing) of \(train.classNames.count) classes have no training image and are never predicted") }
        let unlabelled = train.labels.count { $0 < 0 }
        if unlabelled > 0 { notes.append("\(unlabelled) training images have no label and were left out") }

        var heldOutImages = 0
        let (fitRows, heldRows) = HoldOut.stratified(targets, share: heldOut, seed: seed)
        var chosen: Chosen
        if values.count == 1 {
            chosen = Chosen(value: values[0], accuracy: nil, start: nil, trials: [])
        } else if heldRows.isEmpty {
            let value = middle
            notes.append("no class has a second image to choose by: \(settingName) \(value) was taken without a choice")
            chosen = Chosen(value: value, accuracy: nil, start: nil, trials: [])
        } else {
            let isFew = Double(targets.count) * heldOut < Double(Self.leastHeld)
            let parts = isFew ? HoldOut.folds(targets, count: Int((1 / heldOut).rounded()), seed: seed) : [(fitRows, heldRows)]
            heldOutImages = parts.reduce(0) { $0 + $1.held.count }
            chosen = choose(
                parts.map { fit, held in
                    let standardization = Standardization(of: matrix, rows: fit)
                    let problem = Problem(
                        features: StandardizedRows(matrix, rows: fit, standardization), targets: fit.map { targets[$0] },
                        classes: classes.count)
                    return Part(
                        problem: problem, held: StandardizedRows(matrix, rows: held, standardization), labels: held.map { targets[$0] })
                }, byClass: choosesByClass || isFew)
        }

        let standardization = Standardization(of: matrix)
        if standardization.constantDimensions > 0 {
            notes.append("\(standardization.constantDimensions) of \(matrix.size(1)) dimensions are constant over the training images")
        }
        let problem = Problem(features: StandardizedRows(matrix, standardization), targets: targets, classes: classes.count)
        var solution = solve(problem, chosen.value, from: chosen.start)
        solution.trial.accuracy = chosen.accuracy
        if !solution.trial.converged {
            notes.append(
                solution.trial.loss != nil
                    ? "the fit did not converge within \(solution.trial.iterations) iterations"
                    : "the fit diverged: lower learning rates are needed")
        }
        // Nothing does better than all right.
        if chosen.trials.count > 1, chosen.accuracy ?? 0 < 1,
            let edge = [values.min()!, values.max()!].first(where: { $0 == chosen.value })
        {
            notes.append("the chosen \(settingName) \(edge) is at the end of the grid: a wider one may do better")
        }
        return Fit(
            classifier: LinearClassifier(
                standardization: standardization, weight: solution.weight.to(.float32).contiguous(),
                bias: solution.bias.to(.float32).contiguous(), classes: classes),
            trials: chosen.trials, final: solution.trial, heldOutImages: heldOutImages, notes: notes)
    }

    /// A training problem with standardised features and classes without gaps.
    struct Problem {
        let features: StandardizedRows
        let targets: [Int]
        let classes: Int
    }

    /// Fewer held-out images than this tell settings apart by luck.
    private static let leastHeld = 50

    /// What settings are chosen on: a problem, and other images of the training split.
    private struct Part {
        let problem: Problem
        let held: StandardizedRows
        let labels: [Int]
    }

    /// Trained parameters of a linear layer: [classes, d] and [classes].
    struct Solution {
        var weight: Tensor
        var bias: Tensor
        var trial: Trial
    }

    private struct Chosen {
        var value: Double
        var accuracy: Double?
        var start: Tensor?
        var trials: [Trial]
    }

    /// In the order in which they are tried: the strongest penalty, the lowest learning rate first.
    private var values: [Double] {
        switch solver {
        case .lbfgs(let settings): settings.values.sorted(by: >)
        case .descent(let settings): settings.learningRates.sorted()
        }
    }

    private var settingName: String {
        switch solver {
        case .lbfgs: "penalty"
        case .descent: "learning rate"
        }
    }

    private var middle: Double { values[values.count / 2] }

    /// - Parameter byClass: of few images drawn at random one class may be a third, and who says nothing else is right that often.
    private func choose(_ parts: [Part], byClass: Bool) -> Chosen {
        let labels = parts.flatMap(\.labels)
        let images = labels.count
        var best: (start: Tensor?, trial: Trial, value: Double, loss: Double)?
        var trials: [Trial] = []
        var measured: [Double] = []
        /// - Parameter solutions: of each part, with one setting.
        func consider(_ solutions: [Solution], start: Tensor?) {
            let found = zip(solutions, parts).map { check($0, $1) }
            let (predictions, loss) = (found.flatMap(\.predictions), found.reduce(0) { $0 + $1.loss })
            var trial = solutions[0].trial
            trial.accuracy = Metrics.accuracy(labels, predictions)
            let value = byClass ? Metrics.meanPerClassAccuracy(labels, predictions) : trial.accuracy!
            measured.append(value)
            trial.converged = solutions.allSatisfy(\.trial.converged)
            trials.append(trial)
            // Few held-out images tell few settings apart by accuracy; their loss tells a constant classifier from one that has learned.
            let isBetter = best.map { (value, -loss) > ($0.value, -$0.loss) } ?? true
            if isBetter { best = (start, trial, value, loss) }
        }
        switch solver {
        case .lbfgs:
            // From the strongest penalty to the weakest, each from the one before.
            var starts = [Tensor?](repeating: nil, count: parts.count)
            for value in values {
                let solutions = zip(parts, starts).map { solve($0.problem, value, from: $1) }
                starts = solutions.map { .concatenated([$0.weight, $0.bias.unsqueezed(1)], dimension: 1).reshaped(-1) }
                consider(solutions, start: starts[0])
                if Self.isPast(measured, of: images) { break }
            }
        case .descent(let settings):
            let byPart = parts.map { MinibatchDescent(settings: settings, seed: seed).solve($0.problem, values) }
            for place in values.indices { consider(byPart.map { $0[place] }, start: nil) }
        }
        return Chosen(value: best!.trial.value, accuracy: best!.trial.accuracy, start: best!.start, trials: trials)
    }

    /// What the held-out images are taken for, and the sum of their losses.
    private func check(_ solution: Solution, _ part: Part) -> (predictions: [Int], loss: Double) {
        let targets = Tensor(part.labels).to(part.held.device)
        var (ranked, loss): ([[Int]], Double) = ([], 0)
        for range in part.held.blocks() {
            let scores = part.held[range].linear(solution.weight.to(.float32), solution.bias.to(.float32))
            ranked += Metrics.ranking(scores, 1)
            loss += scores.crossEntropy(targets[range]).item * Double(range.count)
        }
        // A diverged classifier predicts nothing.
        guard solution.trial.loss != nil, loss.isFinite else { return (part.labels.map { _ in -1 }, .infinity) }
        return (ranked.map { $0[0] }, loss)
    }

    /// Whether the last two accuracies are below the best by more than two of its standard errors.
    static func isPast(_ accuracies: [Double], of images: Int) -> Bool {
        guard accuracies.count > 2, let best = accuracies.max() else { return false }
        let error = (best * (1 - best) / Double(images)).squareRoot()
        return accuracies.suffix(2).allSatisfy { $0 < best - 2 * error }
    }

    private func solve(_ problem: Problem, _ value: Double, from start: Tensor?) -> Solution {
        switch solver {
        case .descent(let settings):
            return MinibatchDescent(settings: settings, seed: seed).solve(problem, [value])[0]
        case .lbfgs(let settings):
            let type = problem.features.device == .mps ? DataType.float32 : settings.arithmetic
            let objective = SoftmaxRegression(
                features: problem.features.of(type), targets: Tensor(problem.targets).to(problem.features.device),
                classes: problem.classes, penalty: value)
            let search = LBFGS(iterations: settings.iterations, gradientTolerance: settings.tolerance)
            let outcome = search.minimize(from: start ?? objective.start, objective.callAsFunction)
            let width = problem.features.width
            let matrix = outcome.point.reshaped(problem.classes, width + 1)
            return Solution(
                weight: matrix.narrowed(1, from: 0, count: width), bias: matrix.narrowed(1, from: width, count: 1).squeezed(1),
                trial: Trial(
                    value: value, accuracy: nil, loss: outcome.loss.isFinite ? outcome.loss : nil, iterations: outcome.iterations,
                    converged: outcome.stop != .iterations && outcome.loss.isFinite))
        }
    }

    private func checkSettings() throws(FeatureError) {
        guard heldOut > 0, heldOut < 1 else {
            throw FeatureError(.setting, "the held-out share must be between 0 and 1, not \(heldOut)")
        }
        switch solver {
        case .lbfgs(let settings):
            guard !settings.values.isEmpty, settings.values.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw FeatureError(.setting, "penalties must be numbers of at least 0, not \(settings.values)")
            }
            guard settings.iterations >= 1, settings.tolerance >= 0, [.float32, .float64].contains(settings.arithmetic) else {
                throw FeatureError(.setting, "L-BFGS needs at least 1 iteration, no negative tolerance, and float32 or float64")
            }
        case .descent(let settings):
            guard !settings.learningRates.isEmpty, settings.learningRates.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw FeatureError(.setting, "learning rates must be numbers above 0, not \(settings.learningRates)")
            }
            guard settings.epochs >= 1, settings.batch >= 1, (0..<1).contains(settings.momentum) else {
                throw FeatureError(.setting, "descent needs at least 1 epoch, batches of at least 1 and a momentum in 0 ..< 1")
            }
        }
    }
}
