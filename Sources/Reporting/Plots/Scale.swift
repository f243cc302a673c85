import Foundation

/// From values to coordinates.
struct Scale: Sendable, Equatable {
    enum Kind: Sendable { case linear, logarithmic }

    var lower: Double
    var upper: Double
    /// Coordinates of `lower` and `upper`; the first is the larger one on vertical axes.
    var start: Double
    var end: Double
    var kind: Kind = .linear
    /// Between ticks, where the domain was rounded to it; chosen anew otherwise.
    var step: Double?

    func position(_ value: Double) -> Double {
        let share: Double
        switch kind {
        case .linear: share = (value - lower) / (upper - lower)
        case .logarithmic: share = log(value / lower) / log(upper / lower)
        }
        return start + share * (end - start)
    }

    func ticks(about count: Int, whole: Bool = false) -> Ticks {
        switch kind {
        case .linear:
            step.map { .linear(from: lower, to: upper, step: $0) } ?? .linear(from: lower, to: upper, about: count, whole: whole)
        case .logarithmic: .logarithmic(from: lower, to: upper, about: count)
        }
    }

    /// Whether a value has a place: finite, not absurdly large, above zero on a logarithmic axis.
    static func isDrawable(_ value: Double, _ kind: Kind) -> Bool {
        value.isFinite && abs(value) < Ticks.largest && (kind == .linear || value > 1 / Ticks.largest)
    }

    /// A scale for the smallest range that holds all values and has some height, widened to round numbers.
    static func rounded(
        _ values: [Double], _ kind: Kind, about count: Int, includingZero: Bool = false, start: Double, end: Double
    ) -> Scale {
        let (lower, upper, step) = domain(values, kind, about: count, includingZero: includingZero)
        return Scale(lower: lower, upper: upper, start: start, end: end, kind: kind, step: step)
    }

    private static func domain(
        _ values: [Double], _ kind: Kind, about count: Int, includingZero: Bool
    ) -> (lower: Double, upper: Double, step: Double?) {
        let values = values.filter { isDrawable($0, kind) }
        guard var lower = values.min(), var upper = values.max() else { return kind == .linear ? (0, 1, nil) : (1, 10, nil) }
        if kind == .logarithmic {
            if upper / lower < 1.000_001 { (lower, upper) = (lower / 2, upper * 2) }
            return (rounded(lower, .down), rounded(upper, .up), nil)
        }
        if includingZero { (lower, upper) = (min(lower, 0), max(upper, 0)) }
        // Differences that rounding alone could make are no differences.
        if upper - lower <= 1e-9 * max(abs(lower), abs(upper)) {
            let margin = lower == 0 ? 1 : abs(lower) * 0.1
            (lower, upper) = (lower - margin, upper + margin)
        }
        let step = Ticks.linear(from: lower, to: upper, about: count).step
        return ((lower / step + 1e-9).rounded(.down) * step, (upper / step - 1e-9).rounded(.up) * step, step)
    }

    /// To one significant digit.
    private static func rounded(_ value: Double, _ rule: FloatingPointRoundingRule) -> Double {
        let power = pow(10, floor(log10(value)))
        let slack = rule == .down ? 1e-9 : -1e-9
        return (value / power + slack).rounded(rule) * power
    }
}
