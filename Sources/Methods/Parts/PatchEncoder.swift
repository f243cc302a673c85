public import Backbones
public import Torch

/// An encoder from which patches can be hidden.
public final class PatchEncoder: Module {
    public let encoder: Encoder
    private let patches: any MaskableBackbone

    /// Nil when the encoder's backbone does not see patches.
    init?(_ encoder: Encoder) {
        guard let patches = encoder.backbone as? any MaskableBackbone else { return nil }
        self.encoder = encoder
        self.patches = patches
    }

    /// The encoder's keys are its own.
    public override var children: [(key: String, child: Module)] { [("", encoder)] }

    var outputWidth: Int { encoder.outputWidth }
    var patchSize: Int { patches.patchSize }
    var prefixTokens: Int { patches.prefixTokens }
    /// Patches of the images that it is trained on.
    var grid: PatchGrid { patches.grid(height: encoder.imageSize, width: encoder.imageSize) }

    func grid(of pixels: Tensor) -> PatchGrid { patches.grid(height: pixels.size(2), width: pixels.size(3)) }

    /// Pixels [n, 3, h, w] to [n, prefixTokens + patches, outputWidth].
    func tokens(_ pixels: Tensor, _ masking: Masking) -> Tensor { patches.tokens(encoder.input(pixels), masking) }

    /// The same of what the backbone is to see, before its first block; and any tokens through its blocks.
    func embedded(_ x: Tensor, _ masking: Masking) -> Tensor { patches.embedded(x, masking) }
    func encoded(_ tokens: Tensor) -> Tensor { patches.encoded(tokens) }

    /// The same without the prefix.
    func patchTokens(_ pixels: Tensor, _ masking: Masking) -> Tensor { withoutPrefix(tokens(pixels, masking)) }

    func withoutPrefix(_ tokens: Tensor) -> Tensor {
        tokens.narrowed(1, from: prefixTokens, count: tokens.size(1) - prefixTokens)
    }

    /// Tokens to h, [n, outputWidth].
    func pooled(_ tokens: Tensor) -> Tensor { patches.pooled(tokens) }

    /// The patches' tokens after each of the last blocks, not normalised.
    func lastBlocks(_ pixels: Tensor, _ count: Int) -> [Tensor] { patches.lastBlocks(encoder.input(pixels), count) }

    /// The values of each patch as the network sees them: [n, patches, patchSize² · 3], in the order row, column, colour.
    func values(_ pixels: Tensor) -> Tensor { Self.values(encoder.input(pixels), patchSize: patchSize) }

    /// [n, c, h, w] to [n, patches, patchSize² · c], in the order row, column, channel.
    static func values(_ x: Tensor, patchSize p: Int) -> Tensor {
        let (rows, columns, channels) = (x.size(2) / p, x.size(3) / p, x.size(1))
        return x.contiguous().reshaped(x.size(0), channels, rows, p, columns, p).permuted(0, 2, 4, 3, 5, 1)
            .reshaped(x.size(0), rows * columns, p * p * channels)
    }

    /// The way back: [n, patches, patchSize² · 3] to [n, 3, h, w].
    static func image(_ values: Tensor, _ grid: PatchGrid, patchSize p: Int) -> Tensor {
        values.reshaped(values.size(0), grid.rows, grid.columns, p, p, 3).permuted(0, 5, 1, 3, 2, 4)
            .reshaped(values.size(0), 3, grid.rows * p, grid.columns * p)
    }

    /// Patches of images by which is seen and which is to be told, both [n, patches] bool; the others in the mean colour.
    func task(of pixels: Tensor, seen: Tensor, told: Tensor) -> [PictureRow] {
        let values = values(pixels)
        func shown(_ mask: Tensor) -> Tensor {
            encoder.input.pixels(Self.image(values * mask.to(values.dataType).unsqueezed(2), grid, patchSize: patchSize))
        }
        return [PictureRow("seen", shown(seen)), PictureRow("told", shown(told))]
    }

    /// True at some places [n, m] of all patches: [n, patches].
    func mask(at places: Tensor) -> Tensor {
        Tensor.zeros([places.size(0), grid.count], on: places.device).scatterAdded(1, places, Tensor.ones(places.shape, on: places.device))
            .greater(0.5)
    }
}

extension Tensor {
    /// The mean of the elements where a mask of the same shape is true; 0 where it is nowhere.
    func mean(where mask: Tensor) -> Tensor {
        let weights = mask.to(dataType)
        return (self * weights).sum() / weights.sum().clamped(1)
    }
}
