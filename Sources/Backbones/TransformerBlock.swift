public import Torch

/// One block of a transformer with the normalisation before each part (Dosovitskiy et al. 2021, arXiv:2010.11929, eq. 2–3):
///
///     x ← x + Attention(Norm(x)),   x ← x + MLP(Norm(x))
///
/// Keys are timm's. While training with a graph, each part is left out for a whole image with a probability (stochastic
/// depth, Huang et al. 2016); never where targets are made, which need no graph.
public final class TransformerBlock: Layer {
    let norm1: LayerNorm
    let attn: SelfAttention
    let norm2: LayerNorm
    let mlp: FeedForward
    private let dropPath: Double

    public init(width: Int, heads: Int, hiddenRatio: Int = 4, dropPath: Double = 0) {
        norm1 = LayerNorm(width, epsilon: 1e-6)
        attn = SelfAttention(width: width, heads: heads)
        norm2 = LayerNorm(width, epsilon: 1e-6)
        mlp = FeedForward(width: width, hidden: width * hiddenRatio)
        self.dropPath = dropPath
    }

    /// [n, t, width] to [n, t, width].
    public override func callAsFunction(_ x: Tensor) -> Tensor {
        let x = x + dropping(attn(norm1(x)))
        return x + dropping(mlp(norm2(x)))
    }

    /// Attention's weights: [n, t, width] to [n, heads, t, t], rows sum to 1.
    func attention(_ x: Tensor) -> Tensor { attn.weights(norm1(x)) }

    private func dropping(_ branch: Tensor) -> Tensor {
        guard isTraining, dropPath > 0, branch.requiresGradient else { return branch }
        let kept = Tensor.rand([branch.size(0), 1, 1], on: branch.device).less(1 - dropPath)
        return branch * (kept.to(branch.dataType) / (1 - dropPath))
    }
}

/// Multi-head self-attention (Vaswani et al. 2017), with one layer for queries, keys and values as timm has it.
final class SelfAttention: Layer {
    let qkv: Linear
    let proj: Linear
    private let heads: Int

    init(width: Int, heads: Int) {
        qkv = Linear(width, 3 * width)
        proj = Linear(width, width)
        self.heads = heads
    }

    override func callAsFunction(_ x: Tensor) -> Tensor {
        let parts = queriesKeysValues(x)
        return proj(Tensor.attention(parts[0], parts[1], parts[2]).transposed(1, 2).flattened(from: 2))
    }

    func weights(_ x: Tensor) -> Tensor {
        let parts = queriesKeysValues(x)
        return (parts[0].matmul(parts[1].t) / Double(parts[0].size(3)).squareRoot()).softmax()
    }

    /// Each [n, heads, t, width / heads].
    private func queriesKeysValues(_ x: Tensor) -> [Tensor] {
        let all = qkv(x).reshaped(x.size(0), x.size(1), 3, heads, -1).permuted(2, 0, 3, 1, 4)
        return (0..<3).map { all[$0] }
    }
}

/// Two linear layers with GELU between them.
final class FeedForward: Layer {
    let fc1: Linear
    let fc2: Linear

    init(width: Int, hidden: Int) {
        fc1 = Linear(width, hidden)
        fc2 = Linear(hidden, width)
    }

    override func callAsFunction(_ x: Tensor) -> Tensor { fc2(fc1(x).gelu()) }
}

/// How a transformer's weights begin.
public enum TransformerInitialization {
    /// Every linear layer below: normal of 0.02 (timm and DINO cut it off at ±2, which it never reaches), biases 0.
    public static func normal(_ module: Module) {
        forEachLinear(module) { weight, _ in weight.normalInPlace(standardDeviation: 0.02) }
    }

    /// Every linear layer below: uniform by Glorot & Bengio 2010, queries, keys and values each for themselves as MoCo v3 and
    /// the first ViT have it; biases 0.
    public static func xavier(_ module: Module) {
        forEachLinear(module) { weight, isJoint in
            let outputs = weight.size(0) / (isJoint ? 3 : 1)
            let bound = (6 / Double(outputs + weight.size(1))).squareRoot()
            weight.uniformInPlace(-bound, bound)
        }
    }

    private static func forEachLinear(_ module: Module, _ draw: (_ weight: Tensor, _ isJoint: Bool) -> Void) {
        let joint = module.modules.compactMap { ($0 as? SelfAttention).map { ObjectIdentifier($0.qkv) } }
        withoutGradients {
            for case let layer as Linear in module.modules {
                draw(layer.weight.value, joint.contains(ObjectIdentifier(layer)))
                layer.bias?.value.zeroInPlace()
            }
        }
    }
}
