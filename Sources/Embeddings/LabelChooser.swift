public import Torch

/// Which images to label when there is a budget for some of them, by their features alone; `margin` also asks for the labels of
/// what it chose before. Distances are Euclidean between features of unit length.
public enum LabelChooser: String, CaseIterable, Sendable, Codable {
    /// Any images, each as likely.
    case random
    /// As many k-means clusters as labels; of each the image nearest to the centroid. Every budget is clustered by itself.
    case kmeans
    /// TypiClust (Hacohen et al. 2022, arXiv:2202.02794): the most typical images of the largest clusters without a label yet.
    case typiclust
    /// Greedy k-centre (Sener and Savarese 2018, arXiv:1708.00489): always the image farthest from all chosen ones.
    case kcentre
    /// Active rounds: a random start, then those whose two most probable classes are closest (Scheffer et al. 2001) by logistic
    /// regression on the labels so far.
    case margin

    /// TypiClust's numbers, of the paper (section 4) and its code.
    static let mostClusters = 500
    static let leastClusterSize = 5
    static let neighbours = 20

    /// The rows to label for each of rising budgets.
    /// - Parameters:
    ///   - budgets: numbers of labels, rising, none more than there are rows.
    ///   - features: all with labels, of which those of chosen rows are read, by `margin`.
    /// - Returns: rising rows for each budget. All but those of `kmeans` are nested.
    public func choose(_ budgets: [Int], of features: Features, seed: UInt64) throws(FeatureError) -> [[Int]] {
        try features.check("the features to choose from")
        guard let most = budgets.last, let least = budgets.first, least >= 1, budgets == budgets.sorted(), most <= features.count else {
            throw FeatureError(.setting, "budgets must rise from at least 1 to at most the \(features.count) images")
        }
        guard features.labels.allSatisfy({ $0 >= 0 }) else {
            throw FeatureError(.labels, "images can only be chosen from among labelled ones")
        }
        var random = SplitMix64(seed: seed)
        let unit = withoutGradients { features.matrix.detached().to(.float32).normalized() }
        switch self {
        case .random:
            let order = random.permutation(features.count)
            return budgets.map { order.prefix($0).sorted() }
        case .kcentre:
            let order = Self.farthestFirst(unit, most, first: random.below(features.count))
            return budgets.map { order.prefix($0).sorted() }
        case .kmeans:
            var found: [[Int]] = []
            for budget in budgets {
                found.append(Self.filled(Self.medoids(unit, try Self.clusters(budget, of: unit, seed)), budget, features.count, &random))
            }
            return found
        case .typiclust:
            var chosen: [Int] = []
            var found: [[Int]] = []
            for budget in budgets {
                let clustering = try Self.clusters(min(budget, Self.mostClusters), of: unit, seed)
                chosen += Self.typical(unit, clustering.assignments.ints, labelled: chosen, budget - chosen.count)
                chosen = Self.filled(chosen, budget, features.count, &random)
                found.append(chosen)
            }
            return found
        case .margin:
            var chosen: [Int] = []
            var found: [[Int]] = []
            for budget in budgets {
                // One class alone says nothing about the others.
                if Set(chosen.map { features.labels[$0] }).count >= 2 {
                    chosen += Self.closestMargins(unit, features.labels, labelled: chosen, budget - chosen.count)
                }
                chosen = Self.filled(chosen, budget, features.count, &random)
                found.append(chosen)
            }
            return found
        }
    }

    private static func clusters(_ count: Int, of unit: Tensor, _ seed: UInt64) throws(FeatureError) -> Clustering {
        var means = KMeans(clusters: count)
        means.seed = seed
        means.iterations = 30
        return try means.fit(unit)
    }

    /// Rising, with random others where the chosen ones are fewer than the budget.
    private static func filled(_ chosen: [Int], _ budget: Int, _ count: Int, _ random: inout SplitMix64) -> [Int] {
        guard chosen.count < budget else { return chosen.sorted() }
        var others = Set(chosen).symmetricDifference(0..<count).sorted()
        random.shuffle(&others)
        return (chosen + others.prefix(budget - chosen.count)).sorted()
    }

    /// Of each cluster the row nearest to its centroid.
    static func medoids(_ unit: Tensor, _ clustering: Clustering) -> [Int] {
        withoutGradients {
            let distances = (unit - clustering.centroids.rows(clustering.assignments)).squared().sum(1).floats
            var best: [Int: Int] = [:]
            for (row, cluster) in clustering.assignments.ints.enumerated() {
                if let other = best[cluster], distances[other] <= distances[row] { continue }
                best[cluster] = row
            }
            return best.values.sorted()
        }
    }

    /// In the order of choice.
    static func farthestFirst(_ unit: Tensor, _ count: Int, first: Int) -> [Int] {
        withoutGradients {
            var order = [first]
            var nearest = distances(unit, to: first)
            while order.count < count {
                // What is chosen is no candidate, also when it has twins.
                nearest[order.last!..<order.last! + 1].fillInPlace(-1)
                let next = Int(nearest.argmax(0).item)
                order.append(next)
                nearest = nearest.minimum(distances(unit, to: next))
            }
            return order
        }
    }

    private static func distances(_ unit: Tensor, to row: Int) -> Tensor { (unit - unit[row..<row + 1]).squared().sum(1) }

    /// In the order of choice: clusters with the fewest labelled rows come first, of these the largest, and each gives the row with
    /// the smallest mean distance to its 20 nearest in the cluster (of a small cluster half of it). Clusters of fewer than five
    /// rows are passed over as long as there are others.
    static func typical(_ unit: Tensor, _ assignments: [Int], labelled: [Int], _ count: Int) -> [Int] {
        let isLabelled = Set(labelled)
        var members: [Int: [Int]] = [:]
        var known: [Int: Int] = [:]
        var sizes: [Int: Int] = [:]
        for (row, cluster) in assignments.enumerated() {
            sizes[cluster, default: 0] += 1
            if isLabelled.contains(row) { known[cluster, default: 0] += 1 } else { members[cluster, default: []].append(row) }
        }
        let large = sizes.keys.filter { sizes[$0]! >= leastClusterSize }
        let order = (large.isEmpty ? Array(sizes.keys) : large).sorted {
            (known[$0] ?? 0, -sizes[$0]!, $0) < (known[$1] ?? 0, -sizes[$1]!, $1)
        }
        var chosen: [Int] = []
        while chosen.count < count {
            var foundAny = false
            for cluster in order where chosen.count < count {
                guard let rows = members[cluster], !rows.isEmpty else { continue }
                foundAny = true
                let place = mostTypical(unit.rows(Tensor(rows).to(unit.device)))
                chosen.append(rows[place])
                members[cluster]!.remove(at: place)
            }
            if !foundAny { break }
        }
        return chosen
    }

    /// Typicality: the inverse of the mean distance to the nearest ones.
    private static func mostTypical(_ rows: Tensor) -> Int {
        let nearest = min(neighbours, rows.size(0) / 2)
        guard nearest > 0 else { return 0 }
        return withoutGradients { Int(NearestNeighbours.findOthers(nearest, in: rows, by: .euclidean).values.mean(1).argmin(0).item) }
    }

    /// Rows without a label whose two most probable classes differ least, the closest first.
    static func closestMargins(_ unit: Tensor, _ labels: [Int], labelled: [Int], _ count: Int) -> [Int] {
        withoutGradients {
            let classes = Set(labelled.map { labels[$0] }).sorted()
            let place = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
            let (weight, bias) = FewShotClassifier.logistic.fit(
                unit.rows(Tensor(labelled).to(unit.device)), labelled.map { place[labels[$0]]! }, classes.count)
            let top = unit.linear(weight, bias).softmax(1).top(2, dimension: 1).values
            let margins = (top.narrowed(1, from: 0, count: 1) - top.narrowed(1, from: 1, count: 1)).flattened().floats
            let isLabelled = Set(labelled)
            return Array(margins.indices.filter { !isLabelled.contains($0) }.sorted { (margins[$0], $0) < (margins[$1], $1) }.prefix(count))
        }
    }
}
