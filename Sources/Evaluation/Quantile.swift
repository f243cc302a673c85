internal import Foundation

/// Quantiles by bisection of distribution functions that are exact to rounding: slow, and asked for once per interval.
enum Quantile {
    /// Of the standard normal distribution.
    static func normal(_ probability: Double) -> Double {
        inverse(probability) { 0.5 * erfc(-$0 / 2.0.squareRoot()) }
    }

    /// Of Student's t distribution.
    static func student(_ probability: Double, degrees: Double) -> Double {
        inverse(probability) { t in
            let tail = 0.5 * incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t))
            return t > 0 ? 1 - tail : tail
        }
    }

    private static func inverse(_ probability: Double, _ distribution: (Double) -> Double) -> Double {
        precondition(probability > 0 && probability < 1, "the quantile of \(probability)")
        var (low, high) = (-1.0, 1.0)
        while distribution(low) > probability { low *= 2 }
        while distribution(high) < probability { high *= 2 }
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if middle <= low || middle >= high { break }
            if distribution(middle) < probability { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The regularised incomplete beta function I_x(a, b) by Lentz's continued fraction (Numerical Recipes, section 6.4).
    static func incompleteBeta(_ a: Double, _ b: Double, _ x: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
        return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, 1 - x) / b
    }

    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        var c = 1.0
        var d = 1 - (a + b) * x / (a + 1)
        d = 1 / (abs(d) < tiny ? tiny : d)
        var result = d
        for step in 1...10_000 {
            let m = Double(step)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 + numerator * d
                d = 1 / (abs(d) < tiny ? tiny : d)
                c = 1 + numerator / c
                if abs(c) < tiny { c = tiny }
                result *= d * c
            }
            if abs(d * c - 1) < 1e-15 { break }
        }
        return result
    }
}
