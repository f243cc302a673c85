internal import Torch

/// Classification by the nearest training images, without training anything.
///
/// Weighted votes of Wu et al. 2018 (InstDisc, arXiv:1805.01978, section 3.4), as MoCo and DINO evaluate:
///
///     s_i = cos(v_i, q),   w_i = exp(s_i / τ),   score(c) = Σ_{i ∈ N_k(q)} w_i · 1[c_i = c]
///
/// τ is 0.07 in InstDisc and DINO, 0.1 in lightly; ours is 0.1. k is 200 in InstDisc, which is too many for small training
/// splits (votes of other classes outnumber those of the right one): automatic k is at most half the images per class.
public struct NearestNeighbourClassifier: Sendable, Equatable {
    public enum Count: Sendable, Equatable {
        /// max(1, min(200, training images / (2 · classes))).
        case automatic
        /// As given, at most as many as there are training images.
        case fixed(Int)
    }

    public enum Vote: Sendable, Equatable {
        /// exp(s / τ).
        case weighted(temperature: Double)
        /// One each.
        case majority
    }

    public var count = Count.automatic
    public var vote = Vote.weighted(temperature: 0.1)

    public init(count: Count = .automatic, vote: Vote = .weighted(temperature: 0.1)) {
        self.count = count
        self.vote = vote
    }

    public struct Outcome: Sendable, Equatable {
        public var classification: Classification
        /// k as used.
        public var neighbours: Int
    }

    /// Classifies a test split by a training split. Unlabelled training images are left out; classes are matched by name.
    /// - Throws: `FeatureError`: what `Features.check` and `LabelMap` throw; `.width` when the splits differ in dimensions;
    ///   `.tooFewRows` without labelled training images; `.setting` for k < 1 or τ ≤ 0.
    public func evaluate(train: Features, test: Features) throws(FeatureError) -> Outcome {
        try train.check("the training features")
        try test.check("the test features")
        guard train.width == test.width else {
            throw FeatureError(.width, "the training features have \(train.width) dimensions, the test features \(test.width)")
        }
        let map = try LabelMap(train: train.classNames, test: test.classNames)
        let bank = train.labelled
        guard bank.count > 0 else { throw FeatureError(.tooFewRows, "no training image has a label") }
        let k = try neighbours(bank, available: bank.count)
        let ranked = classify(test.matrix, bank, k, excluding: nil)
        return Outcome(
            classification: Classification(
                labels: map.apply(test.labels), ranked: ranked, classNames: map.classNames, ranksFive: k >= 5,
                notes: map.note.map { [$0] } ?? []),
            neighbours: k)
    }

    /// Classifies every labelled image by all others (leave-one-out), when there is no separate split. Unlabelled images are
    /// left out on both sides: the result's rows are the labelled ones in order.
    /// - Throws: as `evaluate(train:test:)`; `.tooFewRows` with fewer than two labelled images.
    public func leaveOneOut(_ features: Features) throws(FeatureError) -> Outcome {
        try features.check("the features")
        let bank = features.labelled
        guard bank.count >= 2 else { throw FeatureError(.tooFewRows, "leave-one-out needs at least 2 labelled images, not \(bank.count)") }
        let k = try neighbours(bank, available: bank.count - 1)
        let ranked = classify(bank.matrix, bank, k, excluding: 0..<bank.count)
        let single = bank.classCounts.count { $0 == 1 }
        let note = "classes with one image only, which leaves nothing to find it by and counts as wrong: \(single)"
        return Outcome(
            classification: Classification(
                labels: bank.labels, ranked: ranked, classNames: bank.classNames, ranksFive: k >= 5, notes: single > 0 ? [note] : []),
            neighbours: k)
    }

    private func neighbours(_ bank: Features, available: Int) throws(FeatureError) -> Int {
        if case .weighted(let temperature) = vote, !(temperature > 0) {
            throw FeatureError(.setting, "the temperature of weighted votes must be above 0, not \(temperature)")
        }
        switch count {
        case .automatic:
            let classes = bank.classCounts.count { $0 > 0 }
            return Swift.min(available, Swift.max(1, Swift.min(200, bank.count / (2 * classes))))
        case .fixed(let k):
            guard k >= 1 else { throw FeatureError(.setting, "\(k) neighbours asked for: at least 1 is needed") }
            return Swift.min(available, k)
        }
    }

    /// Up to five classes with votes for each query, best first; the lower class among equals.
    private func classify(_ queries: Tensor, _ bank: Features, _ k: Int, excluding own: Range<Int>?) -> [[Int]] {
        withoutGradients {
            let found = NearestNeighbours.find(k, of: queries, in: bank.matrix, by: .cosine, excluding: own)
            let classes = bank.classNames.count
            let labels = Tensor(bank.labels).to(queries.device)
            // Votes of a block of queries: [block, classes].
            let step = Swift.max(1, (1 << 22) / Swift.max(k, classes))
            return stride(from: 0, to: queries.size(0), by: step).flatMap { start -> [[Int]] in
                let rows = start..<Swift.min(start + step, queries.size(0))
                let values = found.values[rows]
                // Divided by the largest weight, which changes no order and cannot overflow.
                let weights =
                    switch vote {
                    case .weighted(let temperature): ((values - values.max(1, keep: true)) / temperature).exp()
                    case .majority: values.onesLike()
                    }
                let chosen = labels.rows(found.indices[rows].reshaped(-1)).reshaped(rows.count, k)
                let votes = Tensor.zeros([rows.count, classes], on: queries.device).scatterAdded(1, chosen, weights)
                let kept = Swift.min(5, classes)
                let (sorted, order) = votes.sorted(1, descending: true)
                let scores = sorted.narrowed(1, from: 0, count: kept).contiguous().floats
                let best = order.narrowed(1, from: 0, count: kept).contiguous().ints
                return (0..<rows.count).map { row in
                    (row * kept..<(row + 1) * kept).filter { scores[$0] > 0 }.map { best[$0] }
                }
            }
        }
    }
}
