internal import Torch

enum ColourSpace {
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
