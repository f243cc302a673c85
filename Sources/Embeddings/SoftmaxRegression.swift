internal import Torch

/// The objective of multinomial logistic regression with an L2 penalty, and its gradient:
///
///     f(W, b) = (1/n) [ Σ_i −log softmax(W x_i + b)[y_i] + λ/2 ‖W‖² ]
///
/// λ is on the scale of the sum over images: scikit-learn's C is 1/λ. Biases are not penalised.
///
/// Rows go through in blocks. Products with the features are in the features' type; softmax, losses and sums over blocks
/// are in float64 (float32 on MPS, which has no float64). On processors where `SoftmaxLoss` is fast, float32 features go through it.
struct SoftmaxRegression {
    /// [n, d] float32 or float64.
    let features: StandardizedRows
    /// [n] int64 of 0 ..< classes, on the features' device.
    let targets: Tensor
    let classes: Int
    /// λ.
    let penalty: Double
    /// Whether `SoftmaxLoss` makes it; otherwise libtorch's operations do, on any device and in any type.
    var isFused: Bool

    init(features: StandardizedRows, targets: Tensor, classes: Int, penalty: Double) {
        (self.features, self.targets, self.classes, self.penalty) = (features, targets, classes, penalty)
        isFused = SoftmaxLoss.isFast && features.device == .cpu && features.dataType == .float32
    }

    init(features: Tensor, targets: Tensor, classes: Int, penalty: Double) {
        self.init(
            features: StandardizedRows(features, nil, features.dataType), targets: targets, classes: classes, penalty: penalty)
    }

    /// The type of parameters and sums.
    var wide: DataType { features.device == .mps ? .float32 : .float64 }

    /// W = 0, b = 0: [classes · (d + 1)], a row of weights and its bias per class.
    var start: Tensor { .zeros([classes * (features.width + 1)], wide, on: features.device) }

    /// - Parameter parameters: [classes · (d + 1)].
    func callAsFunction(_ parameters: Tensor) -> (loss: Double, gradient: Tensor) {
        let width = features.width
        let matrix = parameters.reshaped(classes, width + 1)
        let weights = matrix.narrowed(1, from: 0, count: width)
        let bias = matrix.narrowed(1, from: width, count: 1).squeezed(1)
        let narrow = weights.to(features.dataType).contiguous()
        let count = Double(features.count)

        if isFused {
            var loss = weights.squared().sum().item * (penalty / 2)
            var gradient = Tensor.concatenated([weights * penalty, bias.zerosLike().unsqueezed(1)], dimension: 1)
            for range in features.blocks() {
                let part = SoftmaxLoss.sum(features[range], targets[range], weights: narrow, bias: bias.contiguous())
                loss += part.loss
                gradient = gradient + part.gradient
            }
            return (loss / count, gradient.reshaped(-1) / count)
        }
        var loss = weights.squared().sum() * (penalty / 2)
        var weightGradient = weights * penalty
        var biasGradient = bias * 0
        for range in features.blocks(elements: (1 << 22) * width / Swift.max(width, classes)) {
            let rows = features[range]
            let target = targets[range].unsqueezed(1)
            let logProbabilities = (rows.matmul(narrow.t).to(wide) + bias).logSoftmax(1)
            loss = loss - logProbabilities.gathered(1, target).sum()
            let probabilities = logProbabilities.exp()
            // d loss / d logits = softmax − one-hot
            let residual = probabilities.scatterAdded(1, target, Tensor.full([range.count, 1], -1, wide, on: rows.device))
            weightGradient = weightGradient + residual.to(features.dataType).t.matmul(rows).to(wide)
            biasGradient = biasGradient + residual.sum(0)
        }
        let gradient = Tensor.concatenated([weightGradient, biasGradient.unsqueezed(1)], dimension: 1).reshaped(-1) / count
        return (loss.item / count, gradient)
    }
}
