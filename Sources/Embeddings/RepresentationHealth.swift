public import Torch

/// Measures of a batch of representations or projections that show whether, and how, they collapse. No labels needed.
public struct RepresentationHealth: Sendable, Equatable, Codable {
    /// n.
    public var rows: Int
    /// d.
    public var width: Int
    /// Rows with a NaN or infinity; the other measures leave them out.
    public var nonFiniteRows: Int
    /// SimSiam's check (Chen and He 2021, section 4.1): the standard deviation over rows of each dimension of z / ‖z‖₂,
    /// averaged over dimensions. 0 when all rows are the same; 1/√d when they are isotropic.
    public var normalizedDeviation: Double
    /// The standard deviation over rows of each dimension of z itself, averaged over dimensions.
    public var deviation: Double
    /// Effective rank, 0 ... min(n, d).
    public var rankMe: Double
    public var correlation: Correlation
    /// Wang and Isola's uniformity over at most `Options.uniformityRows` rows.
    public var uniformity: Double
    /// Wang and Isola's alignment, when positives were given.
    public var alignment: Double?

    /// `normalizedDeviation` in units of 1/√d: about 1 when isotropic, 0 when constant.
    public var deviationRatio: Double { normalizedDeviation * Double(width).squareRoot() }

    /// What limits the work.
    public struct Options: Sendable, Equatable {
        /// Uniformity grows with the square of the rows: more than this are sampled.
        public var uniformityRows = 4096
        /// Of that sample.
        public var seed: UInt64 = 0
        public init() {}
    }

    /// - Parameters:
    ///   - matrix: [n, d] floating point.
    ///   - positives: [n, d], other views of the same images in the same order, for alignment.
    /// - Throws: `FeatureError` `.shape` or `.width`; `.tooFewRows` with fewer than two finite rows, unless none is finite.
    public static func measure(
        _ matrix: Tensor, positives: Tensor? = nil, options: Options = Options()
    ) throws(FeatureError) -> RepresentationHealth {
        guard matrix.rank == 2, matrix.count > 0, matrix.dataType.isFloatingPoint else {
            throw FeatureError(.shape, "representations must be a floating-point matrix [rows, dimensions], not \(matrix.summary)")
        }
        if let positives, positives.shape != matrix.shape {
            throw FeatureError(.width, "positives of \(positives.summary) for representations of \(matrix.summary)")
        }
        let (rows, width) = (matrix.size(0), matrix.size(1))
        let damaged = Set(matrix.nonFiniteRows).union(positives?.nonFiniteRows ?? [])
        var measured = RepresentationHealth(
            rows: rows, width: width, nonFiniteRows: damaged.count, normalizedDeviation: 0, deviation: 0,
            rankMe: 0,
            correlation: Correlation(meanAbsolute: 0, largestAbsolute: 0, constantDimensions: 0), uniformity: 0, alignment: nil)
        guard damaged.count < rows else { return measured }
        var (x, y) = (matrix.detached(), positives?.detached())
        if !damaged.isEmpty {
            let kept = Tensor((0..<rows).filter { !damaged.contains($0) }).to(matrix.device)
            (x, y) = (x.rows(kept), y?.rows(kept))
        }
        guard x.size(0) >= 2 else {
            throw FeatureError(.tooFewRows, "representations are measured over at least 2 finite rows, not \(x.size(0))")
        }
        withoutGradients {
            var unit = Moments(width: width, .diagonal, on: x.device)
            for range in x.rowBlocks() { unit.add(x[range].to(.float32).normalized()) }
            measured.normalizedDeviation = unit.variances().sqrt().mean().item
            let moments = Moments(of: x)
            measured.deviation = moments.variances().sqrt().mean().item
            measured.correlation = Correlation(moments)
        }
        measured.rankMe = try EffectiveRank.rankMe(x)
        measured.alignment = if let y { try Sphere.alignment(x, y) } else { nil }
        var random = SplitMix64(seed: options.seed)
        let limit = Swift.max(2, options.uniformityRows)
        let sample = x.size(0) <= limit ? x : x.rows(Tensor(random.distinct(limit, below: x.size(0)).sorted()).to(x.device))
        measured.uniformity = try Sphere.uniformity(sample)
        return measured
    }
}
