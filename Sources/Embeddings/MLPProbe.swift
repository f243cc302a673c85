internal import Foundation
internal import Torch

/// A multi-layer perceptron on frozen features: what a linear classifier misses of them. One hidden layer by default (Kolesnikov, Zhai
/// and Beyer 2019, arXiv:1901.09005); RotNet's three non-linear layers (Gidaris et al. 2018, arXiv:1803.07728, section 3.2) are two
/// hidden ones of 200 with batch normalisation.
///
///     logits = W₂ · relu(W₁ x + b₁) + b₂,   v ← μ v + ∇,   W ← W − η_t v,   η_t = η (1 + cos(π t / T)) / 2
///
/// Features are standardised by the training split; the learning rate is chosen on a class-stratified fifth of it, then the
/// network is trained on all of it. Weight decay is on matrices only.
public struct MLPProbe: Sendable, Equatable, Codable {
    public var hiddenWidth = 1000
    public var hiddenLayers = 1
    /// After each hidden layer.
    public var batchNorm = false
    /// For batches of `batch` images, tried in this order.
    public var learningRates = [0.01, 0.1]
    public var epochs = 20
    public var batch = 256
    public var momentum = 0.9
    public var weightDecay = 1e-4
    /// The share of each training class that the learning rate is chosen on.
    public var heldOut = 0.2
    /// Of weights, batches and the held-out part.
    public var seed: UInt64 = 0

    public init() {}

    public struct Outcome: Sendable, Equatable {
        public var classification: Classification
        public var learningRate: Double
        /// On the held-out part; nil when there was no choice.
        public var heldOutAccuracy: Double?
    }

    /// - Throws: `FeatureError`: what `Features.check` and `LabelMap` throw; `.tooFewClasses`, `.width`, `.setting`.
    public func evaluate(train: Features, test: Features) throws(FeatureError) -> Outcome {
        guard hiddenWidth >= 1, hiddenLayers >= 1, epochs >= 1, batch >= (batchNorm ? 2 : 1), !learningRates.isEmpty,
            learningRates.allSatisfy({ $0 > 0 && $0.isFinite }),
            (0..<1).contains(momentum), weightDecay >= 0, heldOut > 0, heldOut < 1
        else {
            throw FeatureError(
                .setting,
                "an MLP needs a hidden width, hidden layers, epochs, batches (of 2 with batch normalisation) and learning rates above 0, "
                    + "a momentum in 0 ..< 1 and a held-out share between 0 and 1")
        }
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
            throw FeatureError(.tooFewClasses, "an MLP needs labelled training images of at least 2 classes, not \(classes.count)")
        }
        let place = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
        let targets = known.labels.map { place[$0]! }
        var notes = map.note.map { [$0] } ?? []

        let (fit, held) = HoldOut.stratified(targets, share: heldOut, seed: seed)
        var (rate, accuracy): (Double, Double?) = (learningRates[0], nil)
        if learningRates.count > 1, !held.isEmpty {
            let standardization = Standardization(of: known.matrix.rows(Tensor(fit)))
            let (inputs, checked) = (known.matrix.rows(Tensor(fit)), known.matrix.rows(Tensor(held)))
            for candidate in learningRates {
                let network = trained(standardization.apply(inputs), fit.map { targets[$0] }, classes.count, candidate)
                let ranked = Self.ranking(network, standardization.apply(checked))
                // Of equally good rates the first.
                let found = Metrics.accuracy(held.map { targets[$0] }, ranked.map { $0.first ?? -1 })
                if accuracy.map({ found > $0 }) ?? true { (rate, accuracy) = (candidate, found) }
            }
        } else if learningRates.count > 1 {
            notes.append("no class has a second image to choose by: the learning rate \(rate) was taken without a choice")
        }
        let standardization = Standardization(of: known.matrix)
        let network = trained(standardization.apply(known.matrix), targets, classes.count, rate)
        let ranked = Self.ranking(network, standardization.apply(test.matrix)).map { $0.map { classes[$0] } }
        return Outcome(
            classification: Classification(labels: map.apply(test.labels), ranked: ranked, classNames: map.classNames, notes: notes),
            learningRate: rate, heldOutAccuracy: accuracy)
    }

    private func trained(_ x: Tensor, _ targets: [Int], _ classes: Int, _ rate: Double) -> MLP {
        Runtime.seed(seed)
        let hidden = [Int](repeating: hiddenWidth, count: hiddenLayers)
        let network = MLP([x.size(1)] + hidden + [classes], batchNorm: batchNorm)
        network.move(to: x.device)
        network.train()
        train(network, x, targets, rate)
        network.eval()
        return network
    }

    /// - Parameter x: [n, d], standardised.
    func train(_ network: MLP, _ x: Tensor, _ targets: [Int], _ rate: Double) {
        let optimizer = SGD(network.parameterGroups(weightDecay: weightDecay), momentum: momentum)
        let labels = Tensor(targets).to(x.device)
        let count = targets.count
        let batches = (count + batch - 1) / batch
        var random = SplitMix64(seed: seed &+ 1)
        withGradients {
            for epoch in 0..<epochs {
                let order = Tensor(random.permutation(count)).to(x.device)
                for number in 0..<batches {
                    let range = number * batch..<Swift.min((number + 1) * batch, count)
                    // One row has no statistics.
                    if batchNorm, range.count == 1 { continue }
                    let rows = order[range]
                    optimizer.clearGradients()
                    network(x.rows(rows)).crossEntropy(labels.rows(rows)).backward()
                    let time = Double(epoch * batches + number) / Double(epochs * batches)
                    optimizer.step(learningRate: rate * (1 + cos(.pi * time)) / 2)
                }
            }
        }
    }

    private static func ranking(_ network: MLP, _ x: Tensor) -> [[Int]] {
        inference {
            x.rowBlocks().flatMap { range in
                let logits = network(x[range])
                // A diverged network predicts nothing.
                return logits.isFinite().all().item != 0 ? Metrics.ranking(logits) : [[Int]](repeating: [], count: range.count)
            }
        }
    }
}
