internal import Torch

/// Search by cosine similarity: an image of the gallery is relevant to a query of its class.
///
///     recall@k = share of queries with a relevant image among the k nearest        (Jégou et al. 2011)
///     AP = (1/R) Σ_{r relevant, at rank ρ} (relevant images up to ρ) / ρ,   mAP = the mean over queries
///
/// over the whole gallery's ranking. Queries without a label, or whose class the gallery lacks, are left out.
public struct Retrieval: Sendable, Equatable {
    /// k of recall@k.
    public var depths = [1, 5, 10]

    public init(depths: [Int] = [1, 5, 10]) { self.depths = depths }

    public struct Outcome: Sendable, Equatable {
        /// Rows of the queries that count.
        public var queries: [Int]
        /// For each k, for each of those queries.
        public var recall: [[Bool]]
        /// AP of each of those queries.
        public var averagePrecision: [Double]
        public var notes: [String]
    }

    /// - Parameters:
    ///   - gallery: images without a label are left out.
    ///   - queries: nil to take each image of the gallery as a query to the others.
    /// - Throws: `FeatureError`: what `Features.check` and `LabelMap` throw; `.width`; `.setting` for a depth below 1;
    ///   `.tooFewRows` when no query has a relevant image.
    public func evaluate(gallery: Features, queries: Features?) throws(FeatureError) -> Outcome {
        guard !depths.isEmpty, depths.allSatisfy({ $0 >= 1 }) else {
            throw FeatureError(.setting, "recall is measured at depths of at least 1, not \(depths)")
        }
        try gallery.check("the gallery's features")
        let bank = gallery.labelled
        var labels = bank.labels
        var matrix = bank.matrix
        var notes: [String] = []
        if let queries {
            try queries.check("the queries' features")
            guard queries.width == bank.width else {
                throw FeatureError(.width, "the gallery's features have \(bank.width) dimensions, the queries' \(queries.width)")
            }
            labels = try LabelMap(train: bank.classNames, test: queries.classNames).apply(queries.labels)
            matrix = queries.matrix
        }
        var available = [Int: Int]()
        for label in bank.labels { available[label, default: 0] += 1 }
        let own = queries == nil ? 1 : 0
        let rows = labels.indices.filter { labels[$0] >= 0 && available[labels[$0], default: 0] > own }
        guard !rows.isEmpty else {
            throw FeatureError(.tooFewRows, "no query has another image of its class in the gallery: there is nothing to find")
        }
        let lost = labels.count { $0 >= 0 } - rows.count
        if lost > 0 { notes.append("\(lost) queries were left out: the gallery has no image of their class") }

        var outcome = Outcome(queries: rows, recall: depths.map { _ in [] }, averagePrecision: [], notes: notes)
        withoutGradients {
            let unit = bank.matrix.detached().to(.float32).normalized()
            let bankLabels = Tensor(bank.labels).to(unit.device)
            let ranks = Tensor.arange(bank.count - own, .float64) + 1
            for start in stride(from: 0, to: rows.count, by: Swift.max(1, (1 << 22) / bank.count)) {
                let block = Array(rows[start..<Swift.min(start + Swift.max(1, (1 << 22) / bank.count), rows.count)])
                var scores = matrix.rows(Tensor(block).to(unit.device)).to(.float32).normalized().matmul(unit.t)
                if own == 1 {
                    let place = Tensor(block).to(unit.device).unsqueezed(1)
                    scores = scores.scatterAdded(1, place, .full([block.count, 1], -10, on: unit.device))
                }
                let order = scores.sorted(1, descending: true).indices.narrowed(1, from: 0, count: bank.count - own)
                let found = bankLabels.rows(order.contiguous().reshaped(-1)).reshaped(block.count, bank.count - own)
                let relevant = found.equal(Tensor(block.map { labels[$0] }).to(unit.device).unsqueezed(1)).to(.cpu).to(.float64)
                let hits = relevant.cumulativeSum(1)
                let precision = (relevant * hits / ranks).sum(1) / relevant.sum(1)
                outcome.averagePrecision += precision.doubles
                for (index, depth) in depths.enumerated() {
                    let within = hits.selected(1, Swift.min(depth, bank.count - own) - 1)
                    outcome.recall[index] += within.greater(0).values(Bool.self)
                }
            }
        }
        return outcome
    }
}
