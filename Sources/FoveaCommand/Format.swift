import Foundation

/// Numbers as a person reads them.
enum Format {
    static func duration(_ seconds: Double) -> String {
        let total = Int(max(0, seconds).rounded())
        switch total {
        case ..<60: return "\(total) s"
        case ..<3600: return "\(total / 60) min \(total % 60) s"
        case ..<86400: return "\(total / 3600) h \(total % 3600 / 60) min"
        default: return "\(total / 86400) d \(total % 86400 / 3600) h"
        }
    }

    static func megabytes(_ bytes: Int) -> String {
        switch bytes {
        case (10 << 30)...: "\(bytes >> 30) GB"
        case (1 << 30)...: String(format: "%.1f GB", Double(bytes) / 1_073_741_824)
        default: "\(bytes >> 20) MB"
        }
    }

    /// 11,173,962
    static func count(_ value: Int) -> String {
        var digits = Array(String(abs(value)))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }
}
