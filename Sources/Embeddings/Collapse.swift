internal import Foundation

/// What went wrong with representations that do not tell images apart, as far as the measures show it.
///
/// | kind | rule | source |
/// |---|---|---|
/// | notFinite | any row with NaN or infinity | |
/// | onePrototype | entropy of the mean target < 10 % of log k | DINO (Caron et al. 2021, section 5.3) |
/// | uniformTargets | mean entropy of targets > 99 % of log k | the same |
/// | constant | deviation of z/‖z‖ < 10 % of 1/√d | SimSiam (Chen and He 2021, figure 2) shows 0 for collapse, 1/√d without |
/// | constant | of a loss that asks for deviation 1: deviation of z < 10 % of it | VICReg (Bardes et al. 2022, section 5) |
/// | dimensional | RankMe < max(2, 5 % of min(n, d)) | Jing et al. 2022; RankMe (Garrido et al. 2023) |
///
/// The papers show the extremes; 10 %, 99 % and 5 % are ours, far from both. The first rule that holds is told, in
/// the order of the table: targets that are all alike make the vectors constant too, but say more of the cause.
public struct Collapse: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case none
        case notFinite
        /// All images are given (nearly) the same vector.
        case constant
        /// All images are given the same target.
        case onePrototype
        /// Every image is given all targets alike.
        case uniformTargets
        /// The vectors differ, but along a few directions only.
        case dimensional
    }

    /// Where it was seen.
    public enum Place: String, Sendable, Codable {
        /// h, the encoder's output.
        case representation
        /// z, the projector's output.
        case projection
        case targets
    }

    public var kind: Kind
    /// nil when there is no collapse.
    public var place: Place?
    /// One line: what was seen, and what to try.
    public var explanation: String

    public static let constantBelow = 0.1
    public static let dimensionalShare = 0.05
    public static let onePrototypeBelow = 0.1
    public static let uniformTargetsAbove = 0.99

    /// RankMe below this counts as dimensional collapse.
    public static func leastRank(rows: Int, width: Int) -> Double { max(2, dimensionalShare * Double(min(rows, width))) }

    /// - Parameters:
    ///   - h: measures of the representation.
    ///   - z: measures of the projection, if there is one.
    ///   - targets: how targets or prototypes are used, if there are any.
    ///   - hasScale: the loss compares projections as they are, and asks for deviation 1 of each dimension.
    ///   - remedy: what to try, instead of what helps methods that compare their own vectors.
    public static func diagnose(
        representation h: RepresentationHealth, projection z: RepresentationHealth? = nil, targets: TargetUse? = nil,
        hasScale: Bool = false, remedy: String? = nil
    ) -> Collapse {
        let places: [(Place, RepresentationHealth)] = [(.representation, h)] + (z.map { [(.projection, $0)] } ?? [])
        for (place, measured) in places where measured.nonFiniteRows > 0 {
            return Collapse(
                kind: .notFinite, place: place,
                explanation: "\(measured.nonFiniteRows) of \(measured.rows) rows of the \(place.rawValue) are NaN or infinite: "
                    + "lower the learning rate, lengthen the warm-up or clip gradients")
        }
        if let targets, let found = diagnose(targets) { return found }
        // The representation matters most: a projection may lose what the representation keeps.
        for (place, measured) in places where measured.deviationRatio < constantBelow {
            return Collapse(
                kind: .constant, place: place,
                explanation: "constant collapse: all images get nearly the same \(place.rawValue) (deviation of unit vectors "
                    + "\(percent(measured.deviationRatio)) of 1/√d): "
                    + (remedy
                        ?? "check the stop-gradient, the predictor and its learning rate, batch norm in the projector, and negatives or "
                        + "the variance term"))
        }
        if hasScale, let z, z.deviation < constantBelow {
            return Collapse(
                kind: .constant, place: .projection,
                explanation:
                    "constant collapse: the projection shrinks to one point (deviation \(rounded(z.deviation)) where the loss asks for "
                    + "1): give the variance term, or what spreads the outputs, more weight, or lower the learning rate")
        }
        for (place, measured) in places where measured.rankMe < leastRank(rows: measured.rows, width: measured.width) {
            return Collapse(
                kind: .dimensional, place: place,
                explanation:
                    "dimensional collapse: the \(place.rawValue) uses about \(rounded(measured.rankMe)) of \(min(measured.rows, measured.width)) "
                    + "directions (RankMe; mean |correlation| \(rounded(measured.correlation.meanAbsolute))): "
                    + (remedy ?? advice(place)))
        }
        return Collapse(
            kind: .none, place: nil,
            explanation: "no collapse: \(summary(h))" + (z.map { "; projection: \(summary($0))" } ?? ""))
    }

    private static func diagnose(_ targets: TargetUse) -> Collapse? {
        guard targets.outcomes > 1 else { return nil }
        let most = Foundation.log(Double(targets.outcomes))
        if targets.entropyOfMean < onePrototypeBelow * most {
            return Collapse(
                kind: .onePrototype, place: .targets,
                explanation:
                    "one-hot collapse: all images share about \(rounded(Foundation.exp(targets.entropyOfMean))) of \(targets.outcomes) targets: "
                    + "check centering or the Sinkhorn step, and raise the teacher temperature")
        }
        if targets.meanEntropy > uniformTargetsAbove * most {
            return Collapse(
                kind: .uniformTargets, place: .targets,
                explanation: "uniform collapse: each image's targets are spread over all \(targets.outcomes) alike (entropy "
                    + "\(percent(targets.meanEntropy / most)) of the most): lower the teacher temperature, or Sinkhorn's ε")
        }
        return nil
    }

    private static func advice(_ place: Place) -> String {
        switch place {
        case .representation:
            "weaken colour and crop augmentation, lower weight decay, train longer, or use a redundancy term"
        case .projection, .targets:
            "check the stop-gradient and the predictor, use a wider or deeper projector, a larger batch or queue, or a covariance term; "
                + "the representation below it is healthier, so evaluation may still be fine"
        }
    }

    private static func summary(_ measured: RepresentationHealth) -> String {
        "deviation of unit vectors \(percent(measured.deviationRatio)) of 1/√d, RankMe \(rounded(measured.rankMe)) of "
            + "\(min(measured.rows, measured.width))"
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
    private static func rounded(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.0f", value) }
}
