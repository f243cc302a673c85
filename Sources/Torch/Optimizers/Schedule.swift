import Foundation

/// A value that changes with the step: learning rate, moving-average decay, temperature, weight decay.
///
/// A schedule is a pure function of the step and of the number of steps, so that a resumed run needs to keep nothing. The
/// first step has the first value; the last value would be that of step `total`, one after the last.
public indirect enum Schedule: Sendable, Equatable {
    case constant(Double)
    /// Half a cosine from the first value to the second.
    case cosine(from: Double, to: Double)
    case linear(from: Double, to: Double)
    /// `value`, multiplied by `factor` when each of `milestones` (fractions of the run) is reached.
    case steps(Double, factor: Double, milestones: [Double])
    /// Rises linearly from `from` over the first `fraction` of the run, and then follows the other schedule over the
    /// rest of it.
    case warmUp(fraction: Double, from: Double, then: Schedule)

    /// The value at step `step` of `total` (0 ..< total).
    public func value(at step: Int, of total: Int) -> Double {
        value(Double(step), Double(max(total, 1)))
    }

    private func value(_ step: Double, _ total: Double) -> Double {
        let t = total > 0 ? min(max(step / total, 0), 1) : 0
        switch self {
        case .constant(let value): return value
        case .cosine(let from, let to): return to + (from - to) * (1 + cos(.pi * t)) / 2
        case .linear(let from, let to): return from + (to - from) * t
        case .steps(let value, let factor, let milestones):
            return milestones.reduce(value) { t + 1e-12 >= $1 ? $0 * factor : $0 }
        case .warmUp(let fraction, let from, let then):
            let warm = fraction * total
            if step < warm { return from + (then.value(0, total - warm) - from) * step / warm }
            return then.value(step - warm, total - warm)
        }
    }
}
