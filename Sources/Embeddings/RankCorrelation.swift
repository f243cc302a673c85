/// Spearman's ρ: Pearson's correlation of ranks, equal values having the mean of their ranks.
public enum RankCorrelation {
    /// - Precondition: as many values of both.
    /// - Returns: −1 … 1; nil with fewer than three values, or when all of one are equal.
    public static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
        precondition(a.count == b.count, "a rank correlation of \(a.count) and \(b.count) values")
        guard a.count >= 3, Set(a).count > 1, Set(b).count > 1 else { return nil }
        return NearDuplicates.correlation(ranks(a), ranks(b))
    }

    static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
            for place in start...end { ranks[order[place]] = Double(start + end) / 2 + 1 }
            start = end + 1
        }
        return ranks
    }
}
