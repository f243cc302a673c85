internal import Torch

/// Classifiers for a handful of labelled images, on features of unit length and without any choice that would need held-out
/// images (Tian et al. 2020, arXiv:2003.11539, section 3: L2-normalised features and logistic regression with C = 1).
///
/// All three are linear in the features.
public enum FewShotClassifier: String, CaseIterable, Sendable, Codable {
    /// Σ_i CE_i + ½‖W‖²: scikit-learn's LogisticRegression with C = 1.
    case logistic
    /// The nearest of the classes' means (Snell et al. 2017): 2 c·x − ‖c‖².
    case centroid
    /// One against the rest with squared hinge, ½(‖w‖² + b²) + Σ_i max(0, 1 − y_i f_i)²: scikit-learn's LinearSVC with C = 1.
    case svm

    /// Fits `train` and ranks classes for `test`.
    /// - Parameters:
    ///   - train: all with labels; classes without an image are never predicted.
    ///   - test: of the same width.
    /// - Throws: `FeatureError`: what `Features.check` throws; `.tooFewClasses`, `.width`, and what `LabelMap` throws.
    public func evaluate(train: Features, test: Features) throws(FeatureError) -> Classification {
        try train.check("the training features")
        try test.check("the test features")
        guard train.width == test.width else {
            throw FeatureError(.width, "the training features have \(train.width) dimensions, the test features \(test.width)")
        }
        let map = try LabelMap(train: train.classNames, test: test.classNames)
        let known = train.labelled
        let counts = known.classCounts
        let classes = counts.indices.filter { counts[$0] > 0 }
        guard classes.count >= 2 else {
            throw FeatureError(.tooFewClasses, "a classifier needs labelled images of at least 2 classes, not \(classes.count)")
        }
        let place = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
        return withoutGradients {
            let unit = known.matrix.detached().to(.float32).normalized()
            let (weight, bias) = fit(unit, known.labels.map { place[$0]! }, classes.count)
            let ranked = test.matrix.rowBlocks().flatMap { range in
                Metrics.ranking(test.matrix[range].detached().to(.float32).normalized().linear(weight, bias)).map { $0.map { classes[$0] } }
            }
            return Classification(
                labels: map.apply(test.labels), ranked: ranked, classNames: map.classNames, notes: map.note.map { [$0] } ?? [])
        }
    }

    /// - Parameters:
    ///   - features: [n, d] float32.
    ///   - targets: n classes in 0 ..< classes, each at least once.
    /// - Returns: [classes, d] and [classes] float32.
    func fit(_ features: Tensor, _ targets: [Int], _ classes: Int) -> (weight: Tensor, bias: Tensor) {
        let labels = Tensor(targets).to(features.device)
        switch self {
        case .centroid:
            let sums = Tensor.zeros([classes, features.size(1)], on: features.device).indexAdded(0, labels, features)
            let means = sums / labels.counts(classes).to(.float32).unsqueezed(1)
            return (means * 2, -means.squared().sum(1))
        case .logistic:
            let objective = SoftmaxRegression(features: features, targets: labels, classes: classes, penalty: 1)
            return Self.solve(objective.start, classes, objective.callAsFunction)
        case .svm:
            let signs = labels.oneHot(classes).to(.float64) * 2 - 1
            let ones = Tensor.ones([features.size(0), 1], on: features.device)
            // The bias is the weight of a constant feature, and penalised as that: liblinear's way.
            let rows = Tensor.concatenated([features, ones], dimension: 1)
            let count = Double(features.size(0))
            let start = Tensor.zeros([classes * rows.size(1)], .float64, on: features.device)
            return Self.solve(start, classes) { parameters in
                let weights = parameters.reshaped(classes, rows.size(1))
                let missing = (1 - signs * rows.matmul(weights.to(.float32).t).to(.float64)).clamped(0)
                let loss = weights.squared().sum() / 2 + missing.squared().sum()
                let gradient = weights - ((signs * missing) * 2).to(.float32).t.matmul(rows).to(.float64)
                return (loss.item / count, gradient.reshaped(-1) / count)
            }
        }
    }

    private static func solve(
        _ start: Tensor, _ classes: Int, _ objective: @escaping (Tensor) -> (loss: Double, gradient: Tensor)
    ) -> (weight: Tensor, bias: Tensor) {
        let found = LBFGS(iterations: 500, gradientTolerance: 1e-6).minimize(from: start, objective).point
        let matrix = found.reshaped(classes, start.count / classes)
        let width = matrix.size(1) - 1
        return (
            matrix.narrowed(1, from: 0, count: width).to(.float32).contiguous(),
            matrix.narrowed(1, from: width, count: 1).squeezed(1).to(.float32).contiguous()
        )
    }
}
