internal import Torch

/// From a latent vector to an image, as BigGAN has it (Brock et al. 2018, arXiv:1809.11096, appendix B) without classes: a linear
/// layer to 4 × 4, residual blocks that double, and tanh.
final class GeneratorNetwork: Module {
    let linear: SpectralLinear
    let blocks: [GeneratorBlock]
    let norm: BatchNorm
    let last: SpectralConv2d
    private let side: Int

    /// - Parameters:
    ///   - side: of the images.
    ///   - width: channels of every block (at 32 pixels BigGAN's does not narrow).
    init(_ latent: Int, to side: Int, width: Int) {
        linear = SpectralLinear(latent, 16 * width)
        var doublings = 0
        while 4 << doublings < side { doublings += 1 }
        blocks = (0..<doublings).map { _ in GeneratorBlock(width) }
        norm = BatchNorm(width)
        last = SpectralConv2d(width, 3, kernel: 3)
        self.side = side
    }

    /// [n, latent] to [n, 3, side, side], −1 … 1.
    func callAsFunction(_ z: Tensor) -> Tensor {
        let width = linear.weight.value.size(0) / 16
        let start = linear(z).reshaped(z.size(0), width, 4, 4).contiguous(.channelsLast)
        let image = last(norm.relu(blocks.reduce(start) { $1($0) })).tanh()
        return image.size(2) == side ? image : image.resizedBilinear(height: side, width: side)
    }
}

/// Norm, ReLU, doubling, 3×3, twice, and a 1×1 shortcut.
final class GeneratorBlock: Layer {
    let norms: [BatchNorm]
    let convolutions: [SpectralConv2d]
    let shortcut: SpectralConv2d

    init(_ width: Int) {
        norms = (0..<2).map { _ in BatchNorm(width) }
        convolutions = (0..<2).map { _ in SpectralConv2d(width, width, kernel: 3) }
        shortcut = SpectralConv2d(width, width, kernel: 1)
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        convolutions[1](norms[1].relu(convolutions[0](norms[0].relu(x).doubled()))) + shortcut(x).doubled()
    }
}

/// BigBiGAN's discriminator (Donahue and Simonyan 2019, arXiv:1907.02544, section 2): F sees images, H latents, J what both made of
/// them; each has a score. Spectrally normalised residual networks without batch statistics.
final class JointDiscriminator: Module {
    let images: [DiscriminatorBlock]
    let latents: [SpectralLinear]
    let joint: [SpectralLinear]
    let imageScore: SpectralLinear
    let latentScore: SpectralLinear
    let jointScore: SpectralLinear

    /// F has four blocks at 32 pixels, of which two halve (BigGAN's for CIFAR-10); larger images are halved to 8.
    /// - Parameters:
    ///   - side: of the images.
    ///   - width: channels of F.
    ///   - hidden: width of H and J.
    init(_ latent: Int, side: Int, width: Int, hidden: Int) {
        var (blocks, inputs, side) = ([DiscriminatorBlock](), 3, side)
        while side > 8 {
            blocks.append(DiscriminatorBlock(inputs, width, halves: true, isFirst: blocks.isEmpty))
            (inputs, side) = (width, side / 2)
        }
        while blocks.count < 4 {
            blocks.append(DiscriminatorBlock(inputs, width, halves: false, isFirst: blocks.isEmpty))
            inputs = width
        }
        images = blocks
        latents = [SpectralLinear(latent, hidden), SpectralLinear(hidden, hidden)]
        joint = [SpectralLinear(width + hidden, hidden), SpectralLinear(hidden, hidden)]
        imageScore = SpectralLinear(width, 1)
        latentScore = SpectralLinear(hidden, 1)
        jointScore = SpectralLinear(hidden, 1)
    }

    /// s_x, s_z and s_xz of pairs: [n] each.
    /// - Parameters:
    ///   - x: [n, 3, side, side], −1 … 1.
    ///   - z: [n, latent]
    func callAsFunction(_ x: Tensor, _ z: Tensor) -> [Tensor] {
        let f = images.reduce(x.contiguous(.channelsLast)) { $1($0) }.relu().sum(2, 3)
        let h = Self.residual(latents, z)
        let j = Self.residual(joint, .concatenated([f, h], dimension: 1))
        return [imageScore(f), latentScore(h), jointScore(j)].map { $0.flattened() }
    }

    /// ReLU(W₁x), and another such layer beside its shortcut.
    private static func residual(_ layers: [SpectralLinear], _ x: Tensor) -> Tensor {
        let first = layers[0](x).leakyRelu(0.2)
        return first + layers[1](first).leakyRelu(0.2)
    }
}

/// ReLU, 3×3, twice, averaged over 2 × 2 to halve, and a 1×1 shortcut, which is the identity where the shape stays; the first block's
/// image is not rectified.
final class DiscriminatorBlock: Layer {
    let convolutions: [SpectralConv2d]
    let shortcut: SpectralConv2d?
    private let halves: Bool
    private let isFirst: Bool

    init(_ inputs: Int, _ outputs: Int, halves: Bool, isFirst: Bool) {
        convolutions = [SpectralConv2d(inputs, outputs, kernel: 3), SpectralConv2d(outputs, outputs, kernel: 3)]
        shortcut = halves || inputs != outputs ? SpectralConv2d(inputs, outputs, kernel: 1) : nil
        self.halves = halves
        self.isFirst = isFirst
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        let result = convolutions[1](convolutions[0](isFirst ? x : x.relu()).relu())
        func halved(_ x: Tensor) -> Tensor { halves ? x.averagePool2d(2, stride: 2) : x }
        let beside = halved(x)
        return halved(result) + (shortcut.map { $0(beside) } ?? beside)
    }
}
