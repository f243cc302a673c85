public import Torch

/// Mean and standard deviation of training features, applied to any features.
public struct Standardization {
    /// [d] float32.
    public let mean: Tensor
    /// 1/σ (n in the denominator), [d] float32; 0 for dimensions that are constant in training, which so drop out.
    public let scale: Tensor
    /// Dimensions that are constant in training.
    public let constantDimensions: Int

    /// - Parameters:
    ///   - matrix: [n, d] training features.
    ///   - rows: those of its rows that count; nil for all.
    public init(of matrix: Tensor, rows: [Int]? = nil) {
        let part = StandardizedRows(matrix, rows: rows, nil, matrix.dataType, copied: 0)
        var moments = Moments(width: matrix.size(1), .diagonal, on: matrix.device)
        for range in part.blocks() { moments.add(part[range]) }
        let variances = moments.variances(correction: 0)
        // The variance of a float32 constant is rounding: below (10⁻⁶ of its magnitude)².
        let constant = variances.greater(moments.mean.squared() * 1e-12).not
        let flags: [Bool] = constant.values()
        constantDimensions = flags.count { $0 }
        mean = moments.mean.to(.float32).to(matrix.device)
        scale = variances.rsqrt().filled(0, where: constant).to(.float32).to(matrix.device)
    }

    /// (x − mean) · scale of [n, d], as float32 on its device.
    public func apply(_ matrix: Tensor) -> Tensor {
        (matrix.detached().to(.float32) - mean.to(matrix.device)) * scale.to(matrix.device)
    }
}

/// A linear layer over standardised features: logits = W ((x − m) · s) + b.
public struct LinearClassifier {
    public let standardization: Standardization
    /// [classes it knows, d] float32.
    public let weight: Tensor
    /// [classes it knows] float32.
    public let bias: Tensor
    /// The class index of each row of `weight`: classes that had training images.
    public let classes: [Int]

    /// [n, d] to [n, classes it knows] float32.
    public func logits(_ matrix: Tensor) -> Tensor {
        let blocks = matrix.rowBlocks().map { range in
            standardization.apply(matrix[range].to(weight.device)).linear(weight, bias)
        }
        return blocks.count == 1 ? blocks[0] : .concatenated(blocks)
    }

    /// Up to `k` classes for each row of [n, d], the most probable first, the lower class among equals.
    public func ranking(_ matrix: Tensor, _ k: Int = 5) -> [[Int]] {
        withoutGradients {
            matrix.rowBlocks().flatMap { Metrics.ranking(logits(matrix[$0]), k) }.map { $0.map { classes[$0] } }
        }
    }
}
