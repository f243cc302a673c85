internal import Torch

/// A step along a direction that satisfies the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6):
///
///     f(t) ≤ f(0) + c₁ t f′(0),   |f′(t)| ≤ c₂ |f′(0)|,   c₁ = 10⁻⁴, c₂ = 0.9
struct WolfeSearch {
    struct Trial {
        let step: Double
        let loss: Double
        /// f′ along the direction.
        let slope: Double
        let point: Tensor
        let gradient: Tensor
    }

    private let loss: Double
    private let slope: Double
    private let evaluate: (Double) -> Trial
    private let decrease = 1e-4
    private let curvature = 0.9
    private var evaluationsLeft = 25
    /// The lowest trial so far that is lower than the start, in case the conditions cannot be met for rounding.
    private var best: Trial?

    init(loss: Double, slope: Double, evaluate: @escaping (Double) -> Trial) {
        self.loss = loss
        self.slope = slope
        self.evaluate = evaluate
    }

    /// nil when no step decreases the function.
    mutating func run(from first: Double) -> Trial? {
        var (previousStep, previousLoss, previousSlope) = (0.0, loss, slope)
        var step = first
        var isFirst = true
        while evaluationsLeft > 0 {
            let trial = attempt(step)
            let failed = !(trial.loss <= loss + decrease * step * slope)
            if failed || (!isFirst && trial.loss >= previousLoss) {
                return zoom((previousStep, previousLoss, previousSlope), (step, trial.loss, trial.slope))
            }
            if abs(trial.slope) <= -curvature * slope { return trial }
            if trial.slope >= 0 { return zoom((step, trial.loss, trial.slope), (previousStep, previousLoss, previousSlope)) }
            (previousStep, previousLoss, previousSlope) = (step, trial.loss, trial.slope)
            step *= 2
            isFirst = false
        }
        return best
    }

    private typealias End = (step: Double, loss: Double, slope: Double)

    private mutating func zoom(_ lower: End, _ upper: End) -> Trial? {
        var (low, high) = (lower, upper)
        while evaluationsLeft > 0, abs(high.step - low.step) > 1e-12 * Swift.max(1e-6, abs(low.step)) {
            let trial = attempt(between(low, high))
            if !(trial.loss <= loss + decrease * trial.step * slope) || trial.loss >= low.loss {
                high = (trial.step, trial.loss, trial.slope)
            } else {
                if abs(trial.slope) <= -curvature * slope { return trial }
                if trial.slope * (high.step - low.step) >= 0 { high = low }
                low = (trial.step, trial.loss, trial.slope)
            }
        }
        return best
    }

    private mutating func attempt(_ step: Double) -> Trial {
        evaluationsLeft -= 1
        let trial = evaluate(step)
        if trial.loss < (best?.loss ?? loss) { best = trial }
        return trial
    }

    /// The minimum of the cubic through both ends (equation 3.59), or the middle when it is not well inside.
    private func between(_ a: End, _ b: End) -> Double {
        let middle = (a.step + b.step) / 2
        let d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
        let square = d1 * d1 - a.slope * b.slope
        guard square >= 0 else { return middle }
        let d2 = (b.step > a.step ? 1 : -1) * square.squareRoot()
        let step = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
        let margin = 0.1 * abs(b.step - a.step)
        let inside = Swift.min(a.step, b.step) + margin...Swift.max(a.step, b.step) - margin
        return step.isFinite && inside.contains(step) ? step : middle
    }
}
