internal import Torch

/// The losses of a discriminator and of those who work against it, from scores before any sigmoid.
enum Adversarial {
    /// −mean of log D(real) + log(1 − D(made)) (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1).
    static func logistic(real: Tensor, made: Tensor) -> Tensor { (-real).softplus().mean() + made.softplus().mean() }

    /// −mean of log D(made): the generator's, which does not fade where D is sure (section 3).
    static func deceiving(_ made: Tensor) -> Tensor { (-made).softplus().mean() }

    /// mean of max(0, 1 − s(real)) + max(0, 1 + s(made)) (Lim and Ye 2017, arXiv:1705.02894; BigBiGAN's eq. of ℓ_D).
    static func hinge(real: Tensor, made: Tensor) -> Tensor { (1 - real).relu().mean() + (1 + made).relu().mean() }
}

/// A score for each image, higher for real ones, as DCGAN has it (Radford et al. 2015, arXiv:1511.06434): 4×4 convolutions of stride 2
/// with leaky ReLU, batch-normalised but for the first, to 4 × 4 places, and a last convolution over those.
final class ImageDiscriminator: Module {
    let convolutions: [Conv2d]
    let norms: [BatchNorm]
    let last: Conv2d

    init(side: Int, width: Int) {
        var (side, inputs, outputs) = (side, 3, width)
        var convolutions: [Conv2d] = []
        while side >= 8 {
            convolutions.append(Conv2d(inputs, outputs, kernel: 4, stride: 2, padding: 1, bias: convolutions.isEmpty))
            (side, inputs, outputs) = (side / 2, outputs, min(2 * outputs, 8 * width))
        }
        self.convolutions = convolutions
        norms = convolutions.dropFirst().map { BatchNorm($0.weight.value.size(0)) }
        last = Conv2d(inputs, 1, kernel: side)
    }

    /// [n, 3, side, side] to [n].
    func callAsFunction(_ x: Tensor) -> Tensor {
        var x = x.contiguous(.channelsLast)
        for (index, convolution) in convolutions.enumerated() {
            x = convolution(x)
            if index > 0 { x = norms[index - 1](x) }
            x = x.leakyRelu(0.2)
        }
        return last(x).globalAveragePool().flattened()
    }
}
