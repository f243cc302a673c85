public import Torch

/// Between sRGB and CIE L*a*b* (IEC 61966-2-1; CIE 15, white D65).
public enum ColourSpace {
    /// Rows X, Y, Z of linear red, green and blue.
    private static let matrix: [[Double]] = [
        [0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227],
    ]
    private static let inverse: [[Double]] = [
        [3.2404813432005266, -1.5371515162713187, -0.49853632616888777],
        [-0.96925494999656820, 1.8759900014898907, 0.041555926558292805],
        [0.055646639135177150, -0.20404133836651123, 1.0573110696453443],
    ]
    private static let white = [0.95047, 1, 1.08883]

    /// x − a(a·x)/6 with a = [−1, 2, −1]: [n, 3, h, w] of any scale, which may then lie a little outside its range.
    static func withoutGreenMagenta(_ rgb: Tensor) -> Tensor {
        let axis = Tensor([-1.0, 2, -1], [1, 3, 1, 1]).to(rgb.dataType).to(rgb.device)
        return rgb - axis * ((rgb * axis).sum(1, keep: true) / 6)
    }

    /// [n, 3, h, w] from 0 … 1 to L of 0 … 100 and a, b around 0.
    public static func lab(_ rgb: Tensor) -> Tensor {
        let linear = ((rgb + 0.055) / 1.055).pow(2.4).where(rgb.greater(0.04045), otherwise: rgb / 12.92)
        let channels = linear.split(1, dimension: 1)
        let f = zip(matrix, white).map { row, white -> Tensor in
            let t = channels[0] * (row[0] / white) + channels[1] * (row[1] / white) + channels[2] * (row[2] / white)
            // Below (6/29)³ a line.
            return t.clamped(1e-6).pow(1 / 3.0).where(t.greater(216.0 / 24389), otherwise: t * (841.0 / 108) + 4.0 / 29)
        }
        return .concatenated([f[1] * 116 - 16, (f[0] - f[1]) * 500, (f[1] - f[2]) * 200], dimension: 1)
    }

    /// The way back, [n, 3, h, w]; what a screen cannot show is brought to 0 … 1.
    public static func rgb(_ lab: Tensor) -> Tensor {
        let channels = lab.split(1, dimension: 1)
        let y = (channels[0] + 16) / 116
        func coordinate(_ f: Tensor, _ white: Double) -> Tensor {
            let line = (f - 4.0 / 29) * (108.0 / 841)
            return f.pow(3).where(f.greater(6.0 / 29), otherwise: line) * white
        }
        let xyz = zip([y + channels[1] / 500, y, y - channels[2] / 200], white).map(coordinate)
        let colours = inverse.map { row -> Tensor in xyz[0] * row[0] + xyz[1] * row[1] + xyz[2] * row[2] }
        let linear = Tensor.concatenated(colours, dimension: 1).clamped(0, 1)
        let curve = linear.clamped(1e-6).pow(1 / 2.4) * 1.055 - 0.055
        return curve.where(linear.greater(0.0031308), otherwise: linear * 12.92)
    }
}
