internal import CTorch

/// Multinomial logistic regression's loss and gradient in one pass over float32 rows on the CPU.
public enum SoftmaxLoss {
    /// Whether it is faster than two products of libtorch on this processor.
    public static let isFast = ct_multiplies_fast()

    /// Σ_i −log softmax(W x_i + b)[y_i]; scores are float32, everything after them float64.
    /// - Parameters:
    ///   - rows: [n, d] float32 on the CPU.
    ///   - targets: [n] int64 of 0 ..< classes.
    ///   - weights: [classes, d] float32.
    ///   - bias: [classes] float64.
    /// - Returns: the sum, and its gradient [classes, d + 1] float64, the bias' in the last column.
    public static func sum(_ rows: Tensor, _ targets: Tensor, weights: Tensor, bias: Tensor) -> (loss: Double, gradient: Tensor) {
        var loss = 0.0
        var gradient: ct_tensor?
        check("softmax_regression", rows, targets, weights, bias) {
            ct_softmax_regression(rows.handle, targets.handle, weights.handle, bias.handle, &loss, &gradient)
        }
        return (loss, Tensor(gradient!))
    }
}
