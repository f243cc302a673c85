internal import Foundation

/// How far a clustering agrees with classes that it did not see.
///
/// With n_ij images of class i in cluster j, a_i and b_j the sums, N all, H entropies in nats:
///
///     MI = Σ n_ij/N · log(N n_ij / (a_i b_j)),   NMI = MI / ½(H(a) + H(b))
///     AMI = (MI − E[MI]) / (½(H(a) + H(b)) − E[MI]),   E over the hypergeometric model (Vinh, Epps and Bailey 2010)
///     ARI = (Σ C(n_ij, 2) − e) / (½(Σ C(a_i, 2) + Σ C(b_j, 2)) − e),   e = Σ C(a_i, 2) Σ C(b_j, 2) / C(N, 2)   (Hubert and Arabie 1985)
///
/// Where both sides are one group each, or both all singletons, they agree: 1.
public struct ClusterAgreement: Sendable, Equatable, Codable {
    public let normalizedMutualInformation: Double
    public let adjustedMutualInformation: Double
    public let adjustedRandIndex: Double
    /// The share of images in the class that their cluster is assigned to, each cluster to one class, each class to at most
    /// one cluster, at best (Hungarian algorithm).
    public let accuracy: Double
    /// The share of images in their cluster's largest class (more clusters make it larger).
    public let purity: Double
    /// Purity of each class's images: the share that lies in clusters of which the class is the largest; nil without images.
    public let perClassPurity: [Double?]

    /// - Parameters:
    ///   - labels: classes; those of −1 are left out.
    ///   - clusters: of the same images.
    /// - Precondition: equal counts, at least one label.
    public init(labels: [Int], clusters: [Int]) {
        precondition(labels.count == clusters.count, "\(labels.count) labels for \(clusters.count) clusters")
        let rows = labels.indices.filter { labels[$0] >= 0 }
        precondition(!rows.isEmpty, "no image has a label to agree with")
        let (classCount, clusterCount) = (rows.map { labels[$0] }.max()! + 1, rows.map { clusters[$0] }.max()! + 1)
        var table = [[Int]](repeating: [Int](repeating: 0, count: clusterCount), count: classCount)
        for row in rows { table[labels[row]][clusters[row]] += 1 }
        let a = table.map { $0.reduce(0, +) }
        let b = (0..<clusterCount).map { column in table.reduce(0) { $0 + $1[column] } }
        let total = rows.count
        let n = Double(total)

        func entropy(_ counts: [Int]) -> Double {
            counts.filter { $0 > 0 }.reduce(0) { $0 - Double($1) / n * log(Double($1) / n) }
        }
        var mutual = 0.0
        for (i, row) in table.enumerated() {
            for (j, count) in row.enumerated() where count > 0 {
                mutual += Double(count) / n * log(n * Double(count) / (Double(a[i]) * Double(b[j])))
            }
        }
        let mean = (entropy(a) + entropy(b)) / 2
        let (groups, others) = (a.count { $0 > 0 }, b.count { $0 > 0 })
        let isTrivial = (groups == 1 && others == 1) || (groups == total && others == total)
        normalizedMutualInformation = isTrivial ? 1 : max(0, mutual) / mean
        let expected = Self.expectedMutualInformation(a, b, total)
        adjustedMutualInformation = isTrivial ? 1 : Self.ratio(mutual - expected, mean - expected)

        func pairs(_ count: Int) -> Double { Double(count) * Double(count - 1) / 2 }
        let (together, inA, inB) = (
            table.joined().reduce(0) { $0 + pairs($1) }, a.reduce(0) { $0 + pairs($1) }, b.reduce(0) { $0 + pairs($1) }
        )
        let chance = total > 1 ? inA * inB / pairs(total) : 0
        adjustedRandIndex = isTrivial ? 1 : Self.ratio(together - chance, (inA + inB) / 2 - chance)

        let assigned = Assignment.maximizing(table.map { $0.map(Double.init) })
        accuracy = Double(zip(table, assigned).reduce(0) { sum, pair in sum + (pair.1.map { pair.0[$0] } ?? 0) }) / n
        let largest = (0..<clusterCount).map { column in table.indices.max { table[$0][column] < table[$1][column] }! }
        purity = Double(largest.enumerated().reduce(0) { $0 + table[$1.element][$1.offset] }) / n
        perClassPurity = table.indices.map { i in
            let inside = largest.indices.filter { largest[$0] == i }.reduce(0) { $0 + table[i][$1] }
            return a[i] == 0 ? nil : Double(inside) / Double(a[i])
        }
    }

    /// Keeps the denominator away from 0 with its sign; what rounding alone leaves of a numerator is 0.
    private static func ratio(_ above: Double, _ below: Double) -> Double {
        (abs(above) < 1e-12 ? 0 : above) / (below < 0 ? min(below, -.ulpOfOne) : max(below, .ulpOfOne))
    }

    private static func expectedMutualInformation(_ a: [Int], _ b: [Int], _ total: Int) -> Double {
        var logFactorial = [0.0]
        for k in 1...total { logFactorial.append(logFactorial[k - 1] + log(Double(k))) }
        let n = Double(total)
        // The same sizes come often.
        func sizes(_ counts: [Int]) -> [(size: Int, times: Double)] {
            Dictionary(grouping: counts.filter { $0 > 0 }, by: \.self).map { ($0.key, Double($0.value.count)) }
        }
        var sum = 0.0
        for (x, timesX) in sizes(a).sorted(by: { $0.size < $1.size }) {
            for (y, timesY) in sizes(b).sorted(by: { $0.size < $1.size }) {
                let fixed = logFactorial[x] + logFactorial[y] + logFactorial[total - x] + logFactorial[total - y] - logFactorial[total]
                for k in max(1, x + y - total)...min(x, y) {
                    let probability = exp(
                        fixed - logFactorial[k] - logFactorial[x - k] - logFactorial[y - k] - logFactorial[total - x - y + k])
                    sum += timesX * timesY * Double(k) / n * log(n * Double(k) / (Double(x) * Double(y))) * probability
                }
            }
        }
        return sum
    }
}
