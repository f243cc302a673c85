/// Elementary functions made of additions, multiplications and divisions only, which IEEE 754 fixes to the last bit.
/// The C library's differ between platforms in that bit, and a view has to be the same everywhere.
enum PortableMath {
    static func exp(_ x: Double) -> Double {
        if x < -745 { return 0 }
        let twos = (x / 0.693147180559945309417).rounded()
        // ln 2 in two parts, so that the remainder keeps all its digits.
        let rest = (x - twos * 0.693147180369123816490) - twos * 1.90821492927058770002e-10
        var term = 1.0
        var sum = 1.0
        for n in 1...15 {
            term *= rest / Double(n)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(twos), significand: 1)
    }

    /// - Precondition: `x > 0`
    static func log(_ x: Double) -> Double {
        var exponent = Double(x.exponent)
        var significand = x.significand
        if significand > 1.4142135623730951 {
            significand /= 2
            exponent += 1
        }
        let s = (significand - 1) / (significand + 1)
        let square = s * s
        var power = s
        var sum = s
        for n in stride(from: 3, through: 23, by: 2) {
            power *= square
            sum += power / Double(n)
        }
        return exponent * 0.693147180559945309417 + 2 * sum
    }

    /// - Precondition: `abs(x) <= π`, as far as the series is accurate.
    static func sineAndCosine(_ x: Double) -> (sine: Double, cosine: Double) {
        var term = 1.0
        var sine = 0.0
        var cosine = 1.0
        for n in 1...27 {
            term *= x / Double(n)
            switch n % 4 {
            case 1: sine += term
            case 2: cosine -= term
            case 3: sine -= term
            default: cosine += term
            }
        }
        return (sine, cosine)
    }
}
