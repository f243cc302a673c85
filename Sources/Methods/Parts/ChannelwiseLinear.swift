internal import Torch

/// A fully-connected layer within each channel (Pathak et al. 2016, arXiv:1604.07379, section 3.1): every place of a map learns
/// of every other at m·n⁴ weights instead of m²·n⁴.
final class ChannelwiseLinear: Layer {
    /// [channels, places in, places out]
    let weight: Parameter
    /// [channels, places]
    let bias: Parameter

    init(channels: Int, places: Int) {
        let bound = 1 / Double(places).squareRoot()
        let (weight, bias) = (Tensor.zeros([channels, places, places]), Tensor.zeros([channels, places]))
        weight.uniformInPlace(-bound, bound)
        bias.uniformInPlace(-bound, bound)
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
    }

    /// [n, channels, h, w], of h · w places, to the same shape.
    override func callAsFunction(_ x: Tensor) -> Tensor {
        let maps = x.contiguous().flattened(from: 2).permuted(1, 0, 2)
        return (maps.matmul(weight.value).permuted(1, 0, 2) + bias.value).reshaped(x.shape).contiguous(.channelsLast)
    }
}
