internal import Torch

/// Limited-memory BFGS (Liu and Nocedal 1989) with a line search for the strong Wolfe conditions, for smooth functions of
/// one vector.
///
///     d = −H g by the two-loop recursion over the last m pairs s_k = x_{k+1} − x_k, y_k = g_{k+1} − g_k   (algorithm 7.4)
///
/// Algorithm numbers are those of Nocedal and Wright 2006.
struct LBFGS {
    /// m.
    var memory = 10
    var iterations = 500
    /// Converged when max |g_i| ≤ gradientTolerance.
    var gradientTolerance = 1e-5

    enum Stop: String, Sendable {
        /// max |g_i| is within the tolerance.
        case gradient
        /// No step decreases the function beyond its rounding.
        case decrease
        case iterations
    }

    struct Outcome {
        let point: Tensor
        let loss: Double
        /// max |g_i|.
        let gradient: Double
        let iterations: Int
        let stop: Stop
    }

    /// - Parameters:
    ///   - start: a vector; its type is that of all arithmetic here.
    ///   - objective: the function's value and gradient at a vector.
    func minimize(from start: Tensor, _ objective: @escaping (Tensor) -> (loss: Double, gradient: Tensor)) -> Outcome {
        var point = start
        var (loss, gradient) = objective(point)
        var pairs: [(s: Tensor, y: Tensor, curvature: Double)] = []
        for iteration in 0..<iterations {
            let largest = gradient.abs().max().item
            if largest <= gradientTolerance {
                return Outcome(point: point, loss: loss, gradient: largest, iterations: iteration, stop: .gradient)
            }
            var direction = -product(gradient, pairs)
            var slope = dot(gradient, direction)
            if !(slope < 0) {
                pairs = []
                direction = -gradient
                slope = dot(gradient, direction)
            }
            let first = pairs.isEmpty ? Swift.min(1, 1 / gradient.abs().sum().item) : 1
            let origin = point
            var search = WolfeSearch(loss: loss, slope: slope) { step in
                let next = origin + direction * step
                let (value, nextGradient) = objective(next)
                return .init(step: step, loss: value, slope: dot(nextGradient, direction), point: next, gradient: nextGradient)
            }
            guard let found = search.run(from: first) else {
                // The curvature that was gathered may be rounding only: once more along the gradient.
                if !pairs.isEmpty {
                    pairs = []
                    continue
                }
                return Outcome(point: point, loss: loss, gradient: largest, iterations: iteration, stop: .decrease)
            }
            let s = found.point - point
            let y = found.gradient - gradient
            let curvature = dot(s, y)
            if curvature > 1e-10 * dot(y, y).squareRoot() * dot(s, s).squareRoot() {
                pairs.append((s, y, curvature))
                if pairs.count > memory { pairs.removeFirst() }
            }
            (point, loss, gradient) = (found.point, found.loss, found.gradient)
        }
        let largest = gradient.abs().max().item
        return Outcome(
            point: point, loss: loss, gradient: largest, iterations: iterations,
            stop: largest <= gradientTolerance ? .gradient : .iterations)
    }

    /// H · gradient.
    private func product(_ gradient: Tensor, _ pairs: [(s: Tensor, y: Tensor, curvature: Double)]) -> Tensor {
        var q = gradient
        var weights: [Double] = []
        for pair in pairs.reversed() {
            let weight = dot(pair.s, q) / pair.curvature
            weights.append(weight)
            q = q - pair.y * weight
        }
        if let last = pairs.last { q = q * (last.curvature / dot(last.y, last.y)) }
        for (pair, weight) in zip(pairs, weights.reversed()) {
            q = q + pair.s * (weight - dot(pair.y, q) / pair.curvature)
        }
        return q
    }
}

func dot(_ a: Tensor, _ b: Tensor) -> Double { (a * b).sum().item }
