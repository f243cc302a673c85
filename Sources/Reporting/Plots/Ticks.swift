import Foundation

/// Where an axis carries numbers: multiples of 1, 2 or 5 times a power of ten.
struct Ticks: Equatable, Sendable {
    var values: [Double]
    /// Between neighbours; decides how many decimals a label needs. Zero on logarithmic axes.
    var step: Double

    /// Beyond this no chart tells anything, and differences would overflow.
    static let largest = 1e100

    /// - Parameter whole: no fractions, for epochs.
    static func linear(from lower: Double, to upper: Double, about count: Int, whole: Bool = false) -> Ticks {
        guard lower < upper, upper - lower < .infinity, count > 0 else { return Ticks(values: [lower], step: 1) }
        let raw = (upper - lower) / Double(count)
        let power = pow(10, floor(log10(raw)))
        let factor = [1.0, 2, 5, 10].first { $0 * power >= raw * 0.999_999 } ?? 10
        return linear(from: lower, to: upper, step: whole ? max(1, (factor * power).rounded()) : factor * power)
    }

    /// All multiples of `step`.
    static func linear(from lower: Double, to upper: Double, step: Double) -> Ticks {
        // Multiples of the step, not sums of it: 0.1 added three times is not 0.3.
        let (first, last) = ((lower / step - 1e-9).rounded(.up), (upper / step + 1e-9).rounded(.down))
        guard first <= last, last - first < 1000 else { return Ticks(values: [], step: step) }
        return Ticks(values: (0...Int(last - first)).map { (first + Double($0)) * step + 0 }, step: step)
    }

    /// Powers of ten; their doubles and fives as well if that would leave fewer than three.
    static func logarithmic(from lower: Double, to upper: Double, about count: Int) -> Ticks {
        guard lower > 0, lower < upper else { return Ticks(values: [lower], step: 0) }
        let exponents = Int(floor(log10(lower)))...Int(ceil(log10(upper)))
        func within(_ factors: [Double]) -> [Double] {
            exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
                .filter { $0 >= lower * 0.999_999 && $0 <= upper * 1.000_001 }
        }
        let powers = within([1])
        if powers.count >= 3 {
            let stride = (powers.count + count - 1) / max(1, count)
            return Ticks(values: powers.enumerated().filter { $0.offset % max(1, stride) == 0 }.map(\.element), step: 0)
        }
        let finer = within([1, 2, 5])
        // Less than a decade: round numbers, at places that are not even.
        return finer.count >= 3 ? Ticks(values: finer, step: 0) : linear(from: lower, to: upper, about: count)
    }

    func label(_ value: Double, style: NumberStyle = .plain) -> String {
        let (value, step) = style == .percent ? (value * 100, step * 100) : (value, step)
        let unit = style == .percent ? " %" : ""
        guard step > 0, step >= 1e-4, abs(value) < 1e6 else { return NumberStyle.significant(value) + unit }
        let decimals = max(0, Int((-log10(step)).rounded(.up)))
        let text = NumberStyle.fixed(value, decimals: decimals)
        return (decimals == 0 ? NumberStyle.grouped(text) : text) + unit
    }
}
