import Foundation

/// How a number is written for people. Never localised: reports are compared across machines.
public enum NumberStyle: Sendable, Equatable {
    case plain
    /// A share of one, shown in per cent with one decimal.
    case percent

    /// Such as `0.4213` or `42.1 %`.
    public func text(_ value: Double) -> String {
        self == .percent && value.isFinite ? "\(bareText(value)) %" : bareText(value)
    }

    /// Without the unit, for intervals.
    public func bareText(_ value: Double) -> String {
        switch self {
        case .percent: value.isFinite ? Self.fixed(value * 100, decimals: 1) : "–"
        case .plain: Self.significant(value)
        }
    }
}

extension NumberStyle {
    /// With thousands grouped, such as `10,000`.
    static func count(_ value: Int) -> String { grouped(String(value)) }

    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "–" }
        let text = String(format: "%.\(decimals)f", value)
        // Rounding can leave a minus sign with nothing behind it.
        return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
    }

    /// Four significant digits, without trailing zeros.
    static func significant(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if abs(value) >= 1000, abs(value) < 1e9 { return grouped(fixed(value, decimals: 0)) }
        let text = String(format: "%.4g", value)
        guard let e = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: e)...]) else { return text }
        return "\(text[..<e])e\(exponent)"
    }

    static func grouped(_ digits: String) -> String {
        let sign = digits.hasPrefix("-") ? "-" : ""
        var text = ""
        for (index, digit) in digits.dropFirst(sign.count).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return sign + String(text.reversed())
    }

    /// Such as `5 min 20 s`: the two largest units.
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "–" }
        if seconds < 10 { return "\(significant((seconds * 10).rounded() / 10)) s" }
        let whole = Int(seconds.rounded())
        let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")]
        let first = parts.firstIndex { $0.0 > 0 } ?? 3
        return parts[first..<min(first + 2, 4)].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    static func memory(megabytes: Double) -> String {
        megabytes >= 1000 ? "\(fixed(megabytes / 1000, decimals: 1)) GB" : "\(significant(megabytes.rounded())) MB"
    }
}
