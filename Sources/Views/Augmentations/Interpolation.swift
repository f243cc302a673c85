/// How pixels between pixels are made. `bicubic` is Keys' kernel with a = −½ where it antialiases, as Pillow's and
/// torchvision's, and a = −¾ where it does not, as torchvision's.
public enum Interpolation: String, Codable, Sendable, CaseIterable {
    case bilinear
    case bicubic

    var support: Double { self == .bicubic ? 2 : 1 }

    func weight(_ x: Double, a: Double) -> Double {
        let x = abs(x)
        if self == .bilinear { return max(0, 1 - x) }
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
}
