internal import Torch

enum ColourSpace {
    /// x − a(a·x)/6 with a = [−1, 2, −1]: [n, 3, h, w] of any scale, which may then lie a little outside its range.
    static func withoutGreenMagenta(_ rgb: Tensor) -> Tensor {
        let axis = Tensor([-1.0, 2, -1], [1, 3, 1, 1]).to(rgb.dataType).to(rgb.device)
        return rgb - axis * ((rgb * axis).sum(1, keep: true) / 6)
    }

    /// sRGB to CIE L*a*b* (IEC 61966-2-1; CIE 15, white D65): [n, 3, h, w] from 0 … 1 to L of 0 … 100 and a, b around 0.
    static func lab(_ rgb: Tensor) -> Tensor {
        let linear = ((rgb + 0.055) / 1.055).pow(2.4).where(rgb.greater(0.04045), otherwise: rgb / 12.92)
        // Rows X, Y, Z over those of white.
        let matrix: [[Double]] = [
            [0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227],
        ]
        let white = [0.95047, 1, 1.08883]
        let channels = linear.split(1, dimension: 1)
        let f = zip(matrix, white).map { row, white -> Tensor in
            let t = channels[0] * (row[0] / white) + channels[1] * (row[1] / white) + channels[2] * (row[2] / white)
            // Below (6/29)³ a line.
            return t.clamped(1e-6).pow(1 / 3.0).where(t.greater(216.0 / 24389), otherwise: t * (841.0 / 108) + 4.0 / 29)
        }
        return .concatenated([f[1] * 116 - 16, (f[0] - f[1]) * 500, (f[1] - f[2]) * 200], dimension: 1)
    }
}
