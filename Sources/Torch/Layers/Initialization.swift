/// PyTorch's and the papers' initialisations, drawn from libtorch's generator so that a seed gives PyTorch's values.
enum Initialization {
    /// Normal with standard deviation √(2 / fan-out): He et al. 2015, as torchvision's ResNet has it.
    static func kaimingNormalFanOut(_ weight: Tensor) {
        let fanOut = weight.size(0) * weight.shape.dropFirst(2).reduce(1, *)
        weight.normalInPlace(standardDeviation: (2 / Double(fanOut)).squareRoot())
    }

    /// Uniform in ±1/√fan-in: what `torch.nn.Linear` and `Conv2d` do by default (Kaiming uniform with a = √5).
    static func defaultUniform(_ tensor: Tensor, fanIn: Int) {
        let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
        tensor.uniformInPlace(-bound, bound)
    }
}
