/// Shares of a dataset for simulated sites that see other mixtures of classes (Hsu et al. 2019, arXiv:1909.06335, for each class as
/// Yurochkin et al. 2019 draw them): a class's pictures are divided by shares from a Dirichlet distribution with all parameters α.
public enum DirichletSplit {
    /// - Parameters:
    ///   - sites: how many.
    ///   - alpha: small for sites of few classes each, large for sites that are alike.
    ///   - least: pictures that every site has.
    /// - Returns: the pictures of each site, rising; every picture is in one of them. Pictures without a label are a class of their
    ///   own. Nil when a thousand draws leave some site with fewer than `least`.
    public static func parts(of dataset: any ImageDataset, sites: Int, alpha: Double, least: Int = 1, seed: UInt64) -> [[Int]]? {
        precondition(sites > 0 && alpha > 0, "a split needs sites and a positive α")
        let byLabel = Dictionary(grouping: 0..<dataset.count) { dataset.label(at: $0) ?? -1 }
        let classes = byLabel.keys.sorted().map { byLabel[$0]! }
        var random = ViewRandom(seed: seed)
        for _ in 0..<1000 {
            var parts = [[Int]](repeating: [], count: sites)
            for var rows in classes {
                for last in stride(from: rows.count - 1, to: 0, by: -1) { rows.swapAt(last, random.integer(below: last + 1)) }
                let draws = (0..<sites).map { _ in random.gamma(alpha) }
                let total = draws.reduce(0, +)
                var (share, first) = (0.0, 0)
                for site in 0..<sites {
                    // Of very small α all draws may be 0 in this precision: one site has them all.
                    share += total > 0 ? draws[site] / total : (site == 0 ? 1 : 0)
                    let end = site == sites - 1 ? rows.count : max(first, min(rows.count, Int((share * Double(rows.count)).rounded())))
                    parts[site] += rows[first..<end]
                    first = end
                }
            }
            if parts.allSatisfy({ $0.count >= least }) { return parts.map { $0.sorted() } }
        }
        return nil
    }
}
