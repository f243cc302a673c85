internal import Backbones
internal import Torch

/// A light transformer with fixed positions on tokens of an encoder, of which some are missing: MAE's decoder and I-JEPA's
/// predictor.
final class PatchDecoder: Module {
    let embed: Linear
    /// [1, 1, width]
    let maskToken: Parameter
    /// [patches, width]
    let positions: Buffer
    let blocks: [TransformerBlock]
    let norm: LayerNorm
    let predict: Linear

    init(_ inputs: Int, width: Int, depth: Int, heads: Int, outputs: Int, grid: PatchGrid) {
        embed = Linear(inputs, width)
        maskToken = Parameter(.zeros([1, 1, width]))
        positions = Buffer(PositionEmbedding.sinCos(grid, width: width))
        blocks = (0..<depth).map { _ in TransformerBlock(width: width, heads: heads) }
        norm = LayerNorm(width, epsilon: 1e-6)
        predict = Linear(width, outputs)
        super.init()
        TransformerInitialization.xavier(self)
        withoutGradients { maskToken.value.normalInPlace(standardDeviation: 0.02) }
    }

    static func check(width: Int, heads: Int, depth: Int, _ name: String) throws(SettingsError) {
        try SettingsCheck.positive("\(name)Depth", depth)
        try SettingsCheck.positive("\(name)Heads", heads)
        try SettingsCheck.require(
            width > 0 && width % 4 == 0 && width % heads == 0,
            "method.\(name)Width must be a multiple of 4 and of \(name)Heads (\(heads)), not \(width)")
    }

    /// Of all patches, in reading order (MAE).
    /// - Parameters:
    ///   - tokens: [n, prefix + k, inputs], of the first k places of `order`.
    ///   - order: [n, patches] int64.
    /// - Returns: [n, patches, outputs]
    func all(_ tokens: Tensor, prefix: Int, order: Tensor) -> Tensor {
        let x = embed(tokens)
        let (images, patches, known) = (x.size(0), order.size(1), x.size(1) - prefix)
        let missing = hidden(images, patches - known, like: x)
        let shuffled = Tensor.concatenated([x.narrowed(1, from: prefix, count: known), missing], dimension: 1)
        let placed = shuffled.tokens(at: order.sorted(1).indices) + positions.value
        let result = run(.concatenated([x.narrowed(1, from: 0, count: prefix), placed.to(x.dataType)], dimension: 1))
        return result.narrowed(1, from: prefix, count: patches)
    }

    /// Of some places by others (I-JEPA).
    /// - Parameters:
    ///   - tokens: [n, c, inputs], of the places `context`, [n, c].
    ///   - targets: [n, t] int64.
    /// - Returns: [n, t, outputs]
    func at(_ targets: Tensor, _ tokens: Tensor, context: Tensor) -> Tensor {
        let x = embed(tokens) + position(context)
        let wanted = hidden(x.size(0), targets.size(1), like: x) + position(targets)
        return run(.concatenated([x, wanted.to(x.dataType)], dimension: 1)).narrowed(1, from: x.size(1), count: targets.size(1))
    }

    private func run(_ x: Tensor) -> Tensor { predict(norm(blocks.reduce(x) { $1($0) })) }

    private func hidden(_ images: Int, _ count: Int, like x: Tensor) -> Tensor {
        maskToken.value.to(x.dataType).expanded([images, count, x.size(2)])
    }

    private func position(_ places: Tensor) -> Tensor {
        positions.value.unsqueezed(0).expanded([places.size(0), positions.value.size(0), positions.value.size(1)]).tokens(at: places)
    }
}
