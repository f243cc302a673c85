internal import Backbones
public import Torch

/// The colours ab of CIE L*a*b* as classes: squares of 10 × 10 around the multiples of 10 (Zhang et al. 2016, arXiv:1603.08511,
/// section 2.1).
///
/// A bin is in gamut when one of sRGB's 2²⁴ colours lies in it. That makes 261, where the paper has 313 and does not say how it
/// counts. Taking all corners of the squares of the grid that hold a colour gives 309, so that theirs seem to be those: the
/// rim that this adds lies where no pixel can be.
public enum ColourBins {
    /// a and b of the bins' middles, by a and then b.
    public static let centres: [[Double]] = {
        // The faces of the cube of colours cover, in ab, all that is inside.
        let levels = Tensor.arange(256, .float64) / 255
        let (first, second) = (levels.unsqueezed(1).expanded([256, 256]), levels.expanded([256, 256]))
        let faces = (0..<6).map { face in
            var channels = [first, second]
            channels.insert(.full([256, 256], Double(face % 2), .float64), at: face / 2)
            return Tensor.stacked(channels)
        }
        let lab = ColourSpace.lab(.stacked(faces))
        let places = (lab.narrowed(1, from: 1, count: 2) / 10 + 0.5).floor().permuted(0, 2, 3, 1).flattened(to: 2).ints
        // a and b lie within ±130.
        var codes = Set<Int>()
        for start in stride(from: 0, to: places.count, by: 2) { codes.insert((places[start] + 50) * 100 + places[start + 1] + 50) }
        return codes.sorted().map { code -> [Double] in
            let (a, b) = (code / 100 - 50, code % 100 - 50)
            return [Double(10 * a), Double(10 * b)]
        }
    }()

    public static var count: Int { centres.count }

    /// [count, 2], of a type and on a device of another tensor.
    static func middles(like x: Tensor) -> Tensor { Tensor(centres.flatMap { $0 }, [count, 2]).to(x.dataType).to(x.device) }

    /// The nearest bins of colours and how near, relative to each other: exp(−‖ab − c‖² / 2σ²), summing to 1.
    /// - Parameter ab: [m, 2]
    /// - Returns: [m, neighbours] both, the nearest first.
    static func nearest(_ ab: Tensor, _ neighbours: Int, softness sigma: Double = 5) -> (bins: Tensor, weights: Tensor) {
        let middles = middles(like: ab)
        let distance = ab.squared().sum(1, keep: true) - 2 * ab.matmul(middles.t) + middles.squared().sum(1)
        let found = (-distance).top(neighbours)
        return (found.indices, (found.values / (2 * sigma * sigma)).softmax())
    }

    /// How often each bin is the nearest: [m, 2] to [count] int64.
    static func histogram(_ ab: Tensor) -> Tensor { nearest(ab, 1).bins.flattened().counts(count) }

    /// w ∝ 1 / ((1 − λ)·p̃ + λ/Q), with Σ p̃·w = 1; p̃ are the shares, smoothed by a Gaussian in ab (eq. 4).
    /// - Parameters:
    ///   - counts: [count]
    ///   - uniformShare: λ
    ///   - softness: σ
    static func balance(_ counts: Tensor, uniformShare: Double, softness sigma: Double) -> Tensor {
        let p = counts.to(.float64).to(.cpu)
        let middles = middles(like: p)
        let squares = middles.squared().sum(1)
        let distance = squares.unsqueezed(1) - 2 * middles.matmul(middles.t) + squares
        let smoothed = (distance / (-2 * sigma * sigma)).exp().matmul(p.unsqueezed(1)).squeezed(1)
        let share = smoothed / smoothed.sum().clamped(1e-300)
        let weights = 1 / (share * (1 - uniformShare) + uniformShare / Double(count))
        return weights / (share * weights).sum()
    }

    /// −v·Σ Z log Ẑ, the mean over pixels (eq. 2), where v is the weight of the nearest bin.
    /// - Parameters:
    ///   - logits: [n, count, h, w]
    ///   - ab: [n, 2, h, w]
    ///   - weights: [count]; nil for 1.
    static func crossEntropy(_ logits: Tensor, _ ab: Tensor, neighbours: Int, softness: Double, weights: Tensor?) -> Tensor {
        let (bins, shares) = withoutGradients { nearest(rows(ab), neighbours, softness: softness) }
        let terms = -(rows(logits).logSoftmax().gathered(1, bins) * shares).sum(1)
        guard let weights else { return terms.mean() }
        return (terms * weights.to(terms.dataType).rows(bins.selected(1, 0))).mean()
    }

    /// [n, c, h, w] to [n·h·w, c].
    static func rows(_ maps: Tensor) -> Tensor { maps.permuted(0, 2, 3, 1).flattened(to: 2) }

    /// The annealed mean: the expected ab under softmax(logits / T) (eq. 5); T → 0 is the mode, T = 1 the mean.
    /// - Parameter logits: [n, count, h, w]
    /// - Returns: [n, 2, h, w]
    public static func annealedMean(_ logits: Tensor, temperature: Double) -> Tensor {
        let p = (logits.permuted(0, 2, 3, 1) / temperature).softmax()
        return p.matmul(middles(like: p)).permuted(0, 3, 1, 2)
    }
}
