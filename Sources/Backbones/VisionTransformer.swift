public import Torch

/// Vision transformers (Dosovitskiy et al. 2021, arXiv:2010.11929), as timm's `vit_{tiny,small,base}_patch{4,8,16}` without
/// `head`: same keys, same outputs.
///
/// Images of other sizes than that of training get resampled positions. Deviations, by setting: fixed sine and cosine positions
/// (MAE, MoCo v3), a projection of patches that stays as it is drawn (MoCo v3, section 4), the mean of the patches instead of the
/// class token as the representation, other widths per head and depths for small machines.
public final class VisionTransformer: Backbone, MaskableBackbone {
    public enum Pooling: String, Codable, Sendable, CaseIterable {
        /// The class token.
        case token
        /// The mean of the patches.
        case mean
    }

    public enum Positions: String, Codable, Sendable, CaseIterable {
        case learned
        /// Sines and cosines, which stay (``PositionEmbedding/sinCos(_:width:)``).
        case fixed
    }

    /// [1, 1, width]
    let clsToken: Parameter
    /// [1, 1 + patches, width], the class token's first.
    let posEmbed: Parameter
    let patchEmbed: PatchEmbedding
    let blocks: [TransformerBlock]
    let norm: LayerNorm

    public let patchSize: Int
    private let width: Int
    private let pooling: Pooling
    /// That `posEmbed` is for.
    private let trained: PatchGrid

    struct Shape {
        var heads: Int
        /// Per head.
        var width = 64
        var depth = 12
        var patchSize = 16
        var imageSize = 224
        var pooling = Pooling.token
        var positions = Positions.learned
        var freezesProjection = false
        var dropPath = 0.0
    }

    init(_ shape: Shape) {
        width = shape.heads * shape.width
        patchSize = shape.patchSize
        pooling = shape.pooling
        let side = shape.imageSize / shape.patchSize
        trained = PatchGrid(rows: side, columns: side)
        clsToken = Parameter(.zeros([1, 1, width]))
        posEmbed = Parameter(.zeros([1, 1 + trained.count, width]))
        patchEmbed = PatchEmbedding(width: width, patchSize: shape.patchSize)
        blocks = (0..<shape.depth).map { index in
            // From 0 in the first block to the whole in the last.
            let drop = shape.depth > 1 ? shape.dropPath * Double(index) / Double(shape.depth - 1) : 0
            return TransformerBlock(width: shape.heads * shape.width, heads: shape.heads, dropPath: drop)
        }
        norm = LayerNorm(width, epsilon: 1e-6)
        super.init()
        withoutGradients {
            switch shape.positions {
            case .learned:
                TransformerInitialization.normal(self)
                clsToken.value.normalInPlace(standardDeviation: 1e-6)
                posEmbed.value.normalInPlace(standardDeviation: 0.02)
            case .fixed:
                // MAE and MoCo v3, whose positions these are, draw the rest from Xavier's uniform distribution.
                TransformerInitialization.xavier(self)
                patchEmbed.drawAsLinear()
                clsToken.value.normalInPlace(standardDeviation: 0.02)
                posEmbed.value.narrowed(1, from: 1, count: trained.count).copyInPlace(PositionEmbedding.sinCos(trained, width: width))
                posEmbed.isTrainable = false
            }
        }
        if shape.freezesProjection { patchEmbed.setTrainable(false) }
    }

    public override var outputWidth: Int { width }
    public override var layerNames: [String] { ["patches"] + blocks.indices.map { "block\($0 + 1)" } }
    /// DINO's (Caron et al. 2021, arXiv:2104.14294, section 4.1 and appendix): the class tokens of the last four blocks, and that of the
    /// last beside the mean of its patches.
    public override var joinedNames: [String] { ["last4", "last+mean"] }
    public var prefixTokens: Int { 1 }

    /// The embeddings, then the blocks; the last norm is the last block's.
    public override var depthCount: Int { blocks.count + 1 }
    public override func depth(ofParameter key: String) -> Int {
        let parts = key.split(separator: ".")
        return parts[0] == "blocks" ? Int(parts[1])! + 1 : parts[0] == "norm" ? blocks.count : 0
    }

    public func grid(height: Int, width: Int) -> PatchGrid { PatchGrid(rows: height / patchSize, columns: width / patchSize) }

    public override func callAsFunction(_ x: Tensor) -> Tensor { pooled(tokens(x, .none)) }

    /// [n, 1 + patches, width] to the representation, [n, width].
    public func pooled(_ tokens: Tensor) -> Tensor {
        switch pooling {
        case .token: tokens.selected(1, 0)
        case .mean: tokens.narrowed(1, from: 1, count: tokens.size(1) - 1).mean(1)
        }
    }

    public func encoded(_ tokens: Tensor) -> Tensor { norm(blocks.reduce(tokens) { $1($0) }) }

    public func lastBlocks(_ x: Tensor, _ count: Int) -> [Tensor] {
        let names = Array(layerNames.suffix(count))
        let maps = features(x, at: Set(names))
        return names.map { maps[$0]!.flattened(from: 2).transposed() }
    }

    /// Tokens after each of the last blocks, normalised: what DINO's linear evaluation joins.
    /// - Returns: `count` times [n, 1 + patches, width], the last block's last.
    public func normalizedBlocks(_ x: Tensor, _ count: Int) -> [Tensor] {
        var x = embedded(x, .none)
        var found: [Tensor] = []
        for (index, block) in blocks.enumerated() {
            x = block(x)
            if index >= blocks.count - count { found.append(norm(x)) }
        }
        return found
    }

    /// The attention of a block: how much each token takes from each.
    /// - Parameter block: from 0; the last by default.
    /// - Returns: [n, heads, 1 + patches, 1 + patches], rows sum to 1.
    public func attention(_ x: Tensor, block: Int? = nil) -> Tensor {
        let block = block ?? blocks.count - 1
        return blocks[block].attention(blocks[..<block].reduce(embedded(x, .none)) { $1($0) })
    }

    /// Of the class token, to the patches.
    public override func attentionMaps(_ x: Tensor) -> Tensor? {
        let grid = grid(height: x.size(2), width: x.size(3))
        let rows = attention(x).selected(2, 0)
        return rows.narrowed(2, from: 1, count: grid.count).reshaped(x.size(0), rows.size(1), grid.rows, grid.columns)
    }

    /// Maps of the patches' tokens, [n, width, rows, columns], not normalised; joined summaries are.
    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        let grid = grid(height: x.size(2), width: x.size(3))
        var found: [String: Tensor] = [:]
        if !layers.isDisjoint(with: joinedNames) {
            let tokens = normalizedBlocks(x, min(4, blocks.count))
            let summaries = tokens.map { $0.selected(1, 0) }
            let patches = tokens[tokens.count - 1].narrowed(1, from: 1, count: grid.count).mean(1)
            for (name, parts) in zip(joinedNames, [summaries, [summaries[summaries.count - 1], patches]]) where layers.contains(name) {
                found[name] = Tensor.concatenated(parts, dimension: 1).unsqueezed(2).unsqueezed(3)
            }
        }
        var x = embedded(x, .none)
        for (name, block) in zip(layerNames, [nil] + blocks.map(Optional.some)) {
            if let block { x = block(x) }
            guard layers.contains(name) else { continue }
            found[name] = x.narrowed(1, from: 1, count: grid.count).transposed().reshaped(x.size(0), width, grid.rows, grid.columns)
        }
        return found
    }

    public func embedded(_ x: Tensor, _ masking: Masking) -> Tensor {
        let grid = grid(height: x.size(2), width: x.size(3))
        var patches = patchEmbed(x)
        if case .replaced(let mask, let token) = masking {
            patches = token.to(patches.dataType).expanded(patches.shape).where(mask.unsqueezed(2), otherwise: patches)
        }
        let all = posEmbed.value
        let places = all.narrowed(1, from: 1, count: trained.count)
        patches = patches + (grid == trained ? places : PositionEmbedding.resampled(places, from: trained, to: grid))
        if case .visible(let indices) = masking { patches = patches.tokens(at: indices) }
        let first = (clsToken.value + all.narrowed(1, from: 0, count: 1)).expanded([x.size(0), 1, width])
        return .concatenated([first.to(patches.dataType), patches], dimension: 1)
    }
}

/// A linear projection of each patch's pixels, as a convolution that does not overlap.
final class PatchEmbedding: Layer {
    let proj: Conv2d

    init(width: Int, patchSize: Int) { proj = Conv2d(3, width, kernel: patchSize, stride: patchSize) }

    /// [n, 3, h, w] to [n, patches, width], in reading order.
    override func callAsFunction(_ x: Tensor) -> Tensor { proj(x).flattened(from: 2).transposed() }

    /// Xavier's uniform distribution of the linear layer that it is (MAE, MoCo v3); bias 0.
    func drawAsLinear() {
        let weight = proj.weight.value
        let bound = (6 / Double(weight.size(0) + weight.count / weight.size(0))).squareRoot()
        weight.uniformInPlace(-bound, bound)
        proj.bias?.value.zeroInPlace()
    }
}
