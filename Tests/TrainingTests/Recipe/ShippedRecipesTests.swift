import Backbones
import Foundation
import Methods
import TestSupport
import Testing
import Torch
import Views

@testable import Training

/// Every file in `Recipes/` is whole, says what it says it is, and runs.
@Suite struct ShippedRecipesTests {
    /// What a recipe is expected to build, by arithmetic on its paper's widths.
    private struct Expected {
        let encoder: Int
        /// Learned values beside the encoder's; a supervised classifier has 3 classes here.
        let heads: Int
        /// Of all learned values with their moving copies.
        let copies: Int
        let views: [Int]
        /// Of the encoder's values those that are fixed: positions, or a projection.
        var frozen = 0
    }

    private static let (small, full, large) = (700_176, 11_168_832, 23_508_032)

    private static func norm(_ width: Int) -> Int { 2 * width }
    private static func linear(_ inputs: Int, _ outputs: Int) -> Int { inputs * outputs + outputs }
    private static func simCLR(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> Int {
        inputs * hidden + norm(hidden) + hidden * outputs + norm(outputs)
    }
    private static func byol(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> Int {
        inputs * hidden + norm(hidden) + linear(hidden, outputs)
    }

    /// Linear layers with batch normalisation between them, and none at the end; the last has a bias if asked.
    private static func mlp(_ widths: Int..., bias: Bool = true) -> Int {
        let weights = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        return weights + widths.dropFirst().dropLast().reduce(0) { $0 + norm($1) } + (bias ? widths[widths.count - 1] : 0)
    }

    /// Two linear layers.
    private static func plain(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> Int { linear(inputs, hidden) + linear(hidden, outputs) }

    /// Two linear layers, both with a batch normalisation.
    private static func amdim(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> Int {
        mlp(inputs, hidden, outputs, bias: false) + norm(outputs)
    }

    /// Of each direction a context network and a prediction; and the targets' layer.
    private static func cpc(_ width: Int, _ hidden: Int, blocks: Int, directions: Int) -> Int {
        let block = linear(width, hidden) + linear(3 * hidden, hidden) + linear(2 * hidden, hidden) + linear(hidden, width)
        return directions * (blocks * block + linear(width, 64)) + linear(width, 64)
    }

    /// Projector, two predictors, and three layers of attention on 256.
    private static func all4one(_ inputs: Int, _ hidden: Int, _ predictor: Int) -> Int {
        let layer = linear(256, 768) + linear(256, 256) + linear(256, 512) + linear(512, 256) + 2 * norm(256)
        return mlp(inputs, hidden, hidden, 256, bias: false) + norm(256) + 2 * mlp(256, predictor, 256) + 3 * layer
    }

    /// A 3 × 3 convolution over the maps of a clip's frames, and a classifier.
    private static func clip(_ frames: Int, _ channels: Int, _ width: Int, _ classes: Int) -> Int {
        9 * frames * channels * width + norm(width) + linear(width, classes)
    }

    /// The tests' teacher of BoWNet.
    private static let teacher = 44_292

    // MARK: Transformers

    private static func blocks(_ depth: Int, _ width: Int) -> Int { depth * (12 * width * width + 13 * width) }
    /// With patches of side p: class token, positions, projection, blocks and the last norm.
    private static func vit(_ depth: Int, _ width: Int, patches: Int, _ p: Int) -> Int {
        width + positions(width, patches) + linear(3 * p * p, width) + blocks(depth, width) + norm(width)
    }
    private static func positions(_ width: Int, _ patches: Int) -> Int { (patches + 1) * width }
    private static func dinoHead(_ inputs: Int, _ hidden: Int, _ prototypes: Int) -> Int {
        linear(inputs, hidden) + linear(hidden, hidden) + linear(hidden, 256) + prototypes * 256
    }
    private static func msnHead(_ inputs: Int, _ hidden: Int, _ outputs: Int) -> Int {
        linear(inputs, hidden) + linear(hidden, hidden) + linear(hidden, outputs) + 2 * norm(hidden)
    }
    private static func moco(_ inputs: Int, _ hidden: Int) -> (projector: Int, predictor: Int) {
        (mlp(inputs, hidden, hidden, 256, bias: false), mlp(256, hidden, 256, bias: false))
    }
    private static func decoder(_ inputs: Int, _ width: Int, _ depth: Int, _ outputs: Int) -> Int {
        linear(inputs, width) + width + blocks(depth, width) + norm(width) + linear(width, outputs)
    }
    /// On 14 × 14 patches of 16, and on 8 × 8 of 4.
    private static let (base16, small16) = (vit(12, 768, patches: 196, 16), vit(12, 384, patches: 196, 16))
    private static let (small4, tiny4) = (vit(12, 384, patches: 64, 4), vit(6, 96, patches: 64, 4))

    private static let transformers: [String: Expected] = [
        "dino/imagenet": .init(
            encoder: small16, heads: dinoHead(384, 2048, 65536), copies: small16 + dinoHead(384, 2048, 65536),
            views: [224, 224] + Array(repeating: 96, count: 8)),
        "dino/cifar10-vit": .init(
            encoder: small4, heads: dinoHead(384, 2048, 4096), copies: small4 + dinoHead(384, 2048, 4096), views: [32, 32, 16, 16, 16, 16]),
        "dino/small-vit": .init(
            encoder: tiny4, heads: dinoHead(96, 512, 2048), copies: tiny4 + dinoHead(96, 512, 2048), views: [32, 32]),
        "moco_v3/imagenet": .init(
            encoder: small16, heads: moco(384, 4096).projector + moco(384, 4096).predictor, copies: small16 + moco(384, 4096).projector,
            views: [224, 224], frozen: positions(384, 196) + linear(768, 384)),
        "moco_v3/imagenet-resnet": .init(
            encoder: large, heads: mlp(2048, 4096, 256, bias: false) + mlp(256, 4096, 256, bias: false),
            copies: large + mlp(2048, 4096, 256, bias: false), views: [224, 224]),
        "moco_v3/small-vit": .init(
            encoder: tiny4, heads: moco(96, 1024).projector + moco(96, 1024).predictor, copies: tiny4 + moco(96, 1024).projector,
            views: [32, 32], frozen: positions(96, 64) + linear(48, 96)),
        "mae/imagenet": .init(
            encoder: base16, heads: decoder(768, 512, 8, 768), copies: 0, views: [224], frozen: positions(768, 196)),
        "mae/cifar10": .init(encoder: small4, heads: decoder(384, 512, 8, 48), copies: 0, views: [32], frozen: positions(384, 64)),
        "mae/small": .init(encoder: tiny4, heads: decoder(96, 64, 2, 48), copies: 0, views: [32], frozen: positions(96, 64)),
        "simmim/imagenet": .init(encoder: base16, heads: 768 + linear(768, 768), copies: 0, views: [224]),
        "simmim/cifar10": .init(encoder: small4, heads: 384 + linear(384, 48), copies: 0, views: [32]),
        "simmim/small": .init(encoder: tiny4, heads: 96 + linear(96, 48), copies: 0, views: [32]),
        "maskfeat/imagenet": .init(encoder: base16, heads: 768 + linear(768, 108), copies: 0, views: [224]),
        "maskfeat/cifar10": .init(encoder: small4, heads: 384 + linear(384, 27), copies: 0, views: [32]),
        "maskfeat/small": .init(encoder: tiny4, heads: 96 + linear(96, 27), copies: 0, views: [32]),
        "maskfeat_video/kinetics": .init(
            encoder: small16, heads: 384 + linear(384, 108) + 768 * 384 + 8 * 384, copies: 0, views: .init(repeating: 224, count: 16)),
        // Mask token and decoder, the differences of two frames, and two times.
        "maskfeat_video/small": .init(
            encoder: tiny4, heads: 96 + linear(96, 27) + 48 * 96 + 2 * 96, copies: 0, views: [32, 32, 32, 32]),
        "ijepa/imagenet": .init(
            encoder: base16, heads: decoder(768, 384, 6, 768), copies: base16, views: [224], frozen: positions(768, 196)),
        "ijepa/cifar10": .init(
            encoder: small4, heads: decoder(384, 192, 6, 384), copies: small4, views: [32], frozen: positions(384, 64)),
        "ijepa/small": .init(encoder: tiny4, heads: decoder(96, 48, 2, 96), copies: tiny4, views: [32], frozen: positions(96, 64)),
        "data2vec/imagenet": .init(encoder: base16, heads: 768 + linear(768, 768), copies: base16, views: [224]),
        "data2vec/cifar10": .init(encoder: small4, heads: 384 + linear(384, 384), copies: small4, views: [32]),
        "data2vec/small": .init(encoder: tiny4, heads: 96 + linear(96, 96), copies: tiny4, views: [32]),
        "ibot/imagenet": .init(
            encoder: small16, heads: 384 + dinoHead(384, 2048, 8192), copies: small16 + dinoHead(384, 2048, 8192),
            views: [224, 224] + Array(repeating: 96, count: 10)),
        "ibot/cifar10": .init(
            encoder: small4, heads: 384 + dinoHead(384, 2048, 4096), copies: small4 + dinoHead(384, 2048, 4096), views: [32, 32]),
        "ibot/small": .init(
            encoder: tiny4, heads: 96 + dinoHead(96, 512, 1024), copies: tiny4 + dinoHead(96, 512, 1024), views: [32, 32]),
        "msn/imagenet": .init(
            encoder: small16, heads: msnHead(384, 2048, 256) + 1024 * 256, copies: small16 + msnHead(384, 2048, 256),
            views: [224, 224] + Array(repeating: 96, count: 10)),
        "msn/cifar10": .init(
            encoder: small4, heads: msnHead(384, 2048, 256) + 1024 * 256, copies: small4 + msnHead(384, 2048, 256), views: [32, 32]),
        "msn/small": .init(
            encoder: tiny4, heads: msnHead(96, 512, 128) + 256 * 128, copies: tiny4 + msnHead(96, 512, 128), views: [32, 32]),
    ]

    /// The published sizes: ViT-B/16 and ViT-S/16 as timm has them, MAE with its decoder as the authors' code counts it.
    @Test func theArithmeticIsThePublishedOne() {
        #expect(Self.base16 == 85_798_656 && Self.small16 == 21_665_664)
        // Theirs counts the decoder's fixed positions, too.
        #expect(Self.base16 + Self.decoder(768, 512, 8, 768) + 197 * 512 == 111_907_840)
    }

    private static let expected = residual.merging(transformers) { own, _ in own }.merging(patches) { own, _ in own }
        .merging(generative) { own, _ in own }

    // MARK: Patches and puzzles

    private static func relative(_ encoder: Int, _ width: Int, _ hidden: Int, pairs: Int, _ patch: Int) -> Expected {
        .init(encoder: encoder, heads: mlp(2 * width, hidden, hidden, 8), copies: 0, views: [Int](repeating: patch, count: pairs + 1))
    }
    private static func puzzle(_ encoder: Int, _ width: Int, _ tile: Int, _ hidden: Int, orders: Int = 100, _ side: Int) -> Expected {
        .init(encoder: encoder, heads: linear(width, tile) + mlp(9 * tile, hidden, orders), copies: 0, views: [side])
    }
    /// Decoders from all tiles' codes to L, a and b, and from two codes to a and b.
    private static func damaged(
        _ encoder: Int, _ width: Int, _ tile: Int, _ hidden: Int, _ side: Int, decoder w: Int, decoded s: Int
    ) -> Expected {
        func decoder(_ inputs: Int, _ channels: Int) -> Int {
            linear(inputs, w * s * s / 16) + 2 * linear(9 * w, w) + linear(9 * w, channels)
        }
        let heads = linear(width, tile) + mlp(9 * tile, hidden, 100) + decoder(9 * tile, 3) + decoder(2 * tile, 2)
        return .init(encoder: encoder, heads: heads, copies: 0, views: [side, side])
    }

    private static let patches: [String: Expected] = [
        "relative_patch/small": relative(small, 128, 256, pairs: 8, 14),
        "relative_patch/cifar10": relative(full, 512, 1024, pairs: 8, 14),
        "relative_patch/imagenet": relative(large, 2048, 4096, pairs: 1, 96),
        "relative_patch/imagenet-alexnet": relative(57_014_336, 4096, 4096, pairs: 1, 96),
        "jigsaw/imagenet-alexnet": puzzle(57_014_336, 4096, 512, 4096, 192),
        "jigsaw/imagenet-64-alexnet": puzzle(57_014_336, 4096, 512, 4096, orders: 64, 192),
        "jigsaw/small": puzzle(small, 128, 64, 256, 42),
        "jigsaw/cifar10": puzzle(full, 512, 128, 1024, 42),
        "jigsaw/imagenet": puzzle(large, 2048, 512, 4096, 192),
        "jigsaw_plus_plus/small": puzzle(small, 128, 64, 256, 42),
        "jigsaw_plus_plus/cifar10": puzzle(full, 512, 128, 1024, 42),
        "jigsaw_plus_plus/imagenet": puzzle(large, 2048, 512, 4096, orders: 701, 192),
        "damaged_jigsaw/small": damaged(small, 128, 64, 256, 42, decoder: 32, decoded: 8),
        "damaged_jigsaw/cifar10": damaged(full, 512, 128, 1024, 42, decoder: 64, decoded: 8),
        "damaged_jigsaw/imagenet": damaged(large, 2048, 512, 4096, 192, decoder: 64, decoded: 16),
    ]

    // MARK: Generative tasks

    /// 3×3 convolutions with batch normalisation to half the channels with each doubling, and a last one.
    private static func mapDecoder(_ inputs: Int, _ widths: Int..., outputs: Int) -> Int {
        let all = [inputs] + widths
        let blocks = zip(all, widths).reduce(0) { $0 + 9 * $1.0 * $1.1 + norm($1.1) }
        return blocks + 9 * all[all.count - 1] * outputs + outputs
    }
    private static func vectorDecoder(_ inputs: Int, _ widths: Int...) -> Int {
        let blocks = zip([widths[0]] + widths, widths).reduce(0) { $0 + 9 * $1.0 * $1.1 + norm($1.1) }
        return 16 * inputs * widths[0] + norm(widths[0]) + blocks + 9 * widths[widths.count - 1] * 3 + 3
    }
    /// A fully-connected layer in each channel of so many places, and a 1×1 convolution.
    private static func bottleneck(_ channels: Int, places: Int) -> Int { channels * places * (places + 1) + linear(channels, channels) }
    /// Of squares of 16 pixels: two 4×4 convolutions and one over 4 × 4 places.
    private static func critic(_ width: Int) -> Int {
        linear(48, width) + 16 * width * 2 * width + norm(2 * width) + linear(16 * 2 * width, 1)
    }
    private static func generatorNetwork(_ latent: Int, _ width: Int) -> Int {
        let block = 2 * norm(width) + 2 * linear(9 * width, width) + linear(width, width)
        return linear(latent, 16 * width) + 3 * block + norm(width) + linear(9 * width, 3)
    }
    private static func jointDiscriminator(_ latent: Int, _ width: Int, _ hidden: Int) -> Int {
        // Four blocks, the first two of which halve; the others have no convolution beside them.
        let convolutions = [3, width, width, width].reduce(0) { $0 + linear(9 * $1, width) + linear(9 * width, width) }
        let blocks = convolutions + linear(3, width) + linear(width, width)
        let vectors = plain(latent, hidden, hidden) + plain(width + hidden, hidden, hidden)
        return blocks + vectors + linear(width, 1) + 2 * linear(hidden, 1)
    }
    /// One channel for three.
    private static let (greySmall, greyFull, greyLarge) = (small - 2 * 16 * 9, full - 2 * 64 * 9, large - 2 * 64 * 49)

    private static let generative: [String: Expected] = [
        "colorization/small": .init(encoder: greySmall, heads: mapDecoder(128, 128, outputs: 261), copies: 0, views: [32]),
        "colorization/cifar10": .init(encoder: greyFull, heads: mapDecoder(512, 256, outputs: 261), copies: 0, views: [32]),
        "colorization/imagenet": .init(encoder: greyLarge, heads: mapDecoder(2048, 256, 128, 64, outputs: 261), copies: 0, views: [224]),
        "split_brain/small": .init(
            encoder: 351_288, heads: mapDecoder(64, 128, outputs: 261) + mapDecoder(64, 128, outputs: 100), copies: 0, views: [32]),
        "split_brain/cifar10": .init(
            encoder: 5_589_216, heads: mapDecoder(256, 256, outputs: 261) + mapDecoder(256, 256, outputs: 100), copies: 0, views: [32]),
        "split_brain/imagenet": .init(
            encoder: 1_237_728, heads: mapDecoder(128, 256, 128, outputs: 261) + mapDecoder(128, 256, 128, outputs: 100), copies: 0,
            views: [227]),
        "autoencoder/small": .init(encoder: small, heads: vectorDecoder(128, 128, 64, 32), copies: 0, views: [32]),
        "autoencoder/small-denoising": .init(encoder: small, heads: vectorDecoder(128, 128, 64, 32), copies: 0, views: [32]),
        "autoencoder/small-connected": .init(
            encoder: linear(3072, 1024) + linear(1024, 1024), heads: plain(1024, 1024, 3072), copies: 0, views: [32]),
        "autoencoder/cifar10": .init(encoder: full, heads: vectorDecoder(512, 256, 128, 64), copies: 0, views: [32]),
        "autoencoder/imagenet": .init(encoder: large, heads: vectorDecoder(2048, 256, 128, 64, 32, 16), copies: 0, views: [224]),
        "vae/small": .init(
            encoder: small, heads: linear(128, 256) + vectorDecoder(128, 128, 64, 32), copies: 0, views: [32]),
        "vae/cifar10": .init(encoder: full, heads: linear(512, 256) + vectorDecoder(128, 256, 128, 64), copies: 0, views: [32]),
        "vae/imagenet": .init(encoder: large, heads: linear(2048, 256) + vectorDecoder(128, 256, 128, 64, 32, 16), copies: 0, views: [224]),
        "context_encoder/small": .init(
            encoder: small, heads: bottleneck(128, places: 16) + mapDecoder(128, 128, 64, outputs: 3) + critic(16), copies: 0, views: [32]),
        "context_encoder/small-regions": .init(
            encoder: small, heads: bottleneck(128, places: 16) + mapDecoder(128, 128, 64, 32, outputs: 3), copies: 0, views: [32]),
        "context_encoder/cifar10": .init(
            encoder: full, heads: bottleneck(512, places: 16) + mapDecoder(512, 256, 128, outputs: 3) + critic(64), copies: 0, views: [32]),
        "context_encoder/imagenet": .init(
            encoder: 2_472_000, heads: bottleneck(256, places: 169) + mapDecoder(256, 256, 128, 64, 32, outputs: 3), copies: 0,
            views: [227]),
        "exemplar/small": .init(encoder: small, heads: linear(128, 128), copies: 0, views: [32, 32, 32, 32]),
        "exemplar/small-classes": .init(encoder: small, heads: linear(128, 14), copies: 0, views: [32, 32]),
        "exemplar/cifar10": .init(encoder: full, heads: linear(512, 128), copies: 0, views: [32, 32, 32, 32]),
        "exemplar/imagenet": .init(encoder: large, heads: linear(2048, 1000), copies: 0, views: Array(repeating: 224, count: 8)),
        "bigbigan/small": .init(
            encoder: small, heads: mlp(128, 256, 128) + generatorNetwork(64, 32) + jointDiscriminator(64, 32, 256), copies: 0, views: [32]),
        "bigbigan/small-bigan": .init(
            encoder: small, heads: mlp(128, 256, 64) + generatorNetwork(64, 32) + jointDiscriminator(64, 32, 256), copies: 0, views: [32]),
        "bigbigan/cifar10": .init(
            encoder: full, heads: mlp(512, 2048, 240) + generatorNetwork(120, 256) + jointDiscriminator(120, 128, 2048), copies: 0,
            views: [32]),
    ]

    private static let residual: [String: Expected] = [
        "simclr/cifar10": .init(encoder: full, heads: linear(512, 2048) + linear(2048, 256), copies: 0, views: [32, 32]),
        "simclr/cifar10-lightly": .init(encoder: full, heads: simCLR(512, 512, 128), copies: 0, views: [32, 32]),
        "simclr/imagenet": .init(encoder: large, heads: simCLR(2048, 2048, 128), copies: 0, views: [224, 224]),
        "simclr/small": .init(encoder: small, heads: simCLR(128, 512, 128), copies: 0, views: [32, 32]),
        "byol/cifar10": .init(
            encoder: full, heads: byol(512, 4096, 256) + byol(256, 4096, 256), copies: full + byol(512, 4096, 256), views: [32, 32]),
        "byol/imagenet": .init(
            encoder: large, heads: byol(2048, 4096, 256) + byol(256, 4096, 256), copies: large + byol(2048, 4096, 256),
            views: [224, 224]),
        "byol/small": .init(
            encoder: small, heads: byol(128, 1024, 256) + byol(256, 1024, 256), copies: small + byol(128, 1024, 256), views: [32, 32]),
        "moco/imagenet": .init(
            encoder: large, heads: plain(2048, 2048, 128), copies: large + plain(2048, 2048, 128), views: [224, 224]),
        "moco/imagenet-v1": .init(
            encoder: large, heads: linear(2048, 128), copies: large + linear(2048, 128), views: [224, 224]),
        "simsiam/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 2048, 2048, bias: false) + mlp(2048, 512, 2048), copies: 0, views: [224, 224]),
        "swav/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 128) + 3000 * 128, copies: 0, views: [224, 224, 96, 96, 96, 96, 96, 96]),
        "deepcluster_v2/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 128), copies: 3 * 3000 * 128, views: [224, 224, 96, 96, 96, 96, 96, 96]),
        "dino/imagenet-resnet": .init(
            encoder: large, heads: dinoHead(2048, 2048, 65536), copies: large + dinoHead(2048, 2048, 65536),
            views: [224, 224] + Array(repeating: 96, count: 8)),
        "barlow_twins/imagenet": .init(encoder: large, heads: mlp(2048, 8192, 8192, 8192, bias: false), copies: 0, views: [224, 224]),
        "vicreg/imagenet": .init(encoder: large, heads: mlp(2048, 8192, 8192, 8192, bias: false), copies: 0, views: [224, 224]),
        "nnclr/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 2048, 256, bias: false) + norm(256) + mlp(256, 4096, 256), copies: 0, views: [224, 224]),
        "instance_discrimination/imagenet": .init(encoder: large, heads: linear(2048, 128), copies: 0, views: [224]),
        "byol/small-group-norm": .init(
            encoder: small, heads: plain(128, 1024, 256) + plain(256, 1024, 256), copies: small + plain(128, 1024, 256), views: [32, 32]),
        "byol/imagenet-group-norm": .init(
            encoder: large, heads: plain(2048, 4096, 256) + plain(256, 4096, 256), copies: large + plain(2048, 4096, 256),
            views: [224, 224]),
        "barlow_twins/cifar10": .init(encoder: full, heads: mlp(512, 2048, 2048, 2048, bias: false), copies: 0, views: [32, 32]),
        "barlow_twins/small": .init(encoder: small, heads: mlp(128, 512, 512, 512, bias: false), copies: 0, views: [32, 32]),
        "vicreg/cifar10": .init(encoder: full, heads: mlp(512, 2048, 2048, 2048, bias: false), copies: 0, views: [32, 32]),
        "vicreg/small": .init(encoder: small, heads: mlp(128, 512, 512, 512, bias: false), copies: 0, views: [32, 32]),
        "vibcreg/cifar10": .init(encoder: full, heads: mlp(512, 2048, 2048, 2048), copies: 0, views: [32, 32]),
        "vibcreg/small": .init(encoder: small, heads: mlp(128, 512, 512, 512), copies: 0, views: [32, 32]),
        "w_mse/cifar10": .init(encoder: full, heads: mlp(512, 1024, 64), copies: 0, views: [32, 32]),
        "w_mse/small": .init(encoder: small, heads: mlp(128, 1024, 64), copies: 0, views: [32, 32]),
        "vibcreg/imagenet": .init(encoder: large, heads: mlp(2048, 2048, 2048, 2048), copies: 0, views: [224, 224]),
        "w_mse/imagenet": .init(encoder: large, heads: mlp(2048, 4096, 128), copies: 0, views: [224, 224]),
        "tico/cifar10": .init(encoder: full, heads: mlp(512, 2048, 256), copies: full + mlp(512, 2048, 256), views: [32, 32]),
        "tico/imagenet": .init(encoder: large, heads: mlp(2048, 4096, 256), copies: large + mlp(2048, 4096, 256), views: [224, 224]),
        "lejepa/cifar10": .init(encoder: full, heads: mlp(512, 2048, 2048, 16), copies: 0, views: [32, 32]),
        "lejepa/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 2048, 64), copies: 0, views: [224, 224] + Array(repeating: 96, count: 6)),
        "tico/small": .init(encoder: small, heads: mlp(128, 1024, 256), copies: small + mlp(128, 1024, 256), views: [32, 32]),
        "lejepa/small": .init(encoder: small, heads: mlp(128, 512, 512, 16), copies: 0, views: [32, 32]),
        "moco/cifar10": .init(
            encoder: full, heads: linear(512, 2048) + linear(2048, 256), copies: full + linear(512, 2048) + linear(2048, 256),
            views: [32, 32]),
        "moco/cifar10-notebook": .init(encoder: full, heads: linear(512, 128), copies: full + linear(512, 128), views: [32, 32]),
        "moco/small": .init(
            encoder: small, heads: linear(128, 512) + linear(512, 128), copies: small + linear(128, 512) + linear(512, 128),
            views: [32, 32]),
        "moco_v3/cifar10": .init(
            encoder: full, heads: mlp(512, 4096, 256, bias: false) + mlp(256, 4096, 256, bias: false),
            copies: full + mlp(512, 4096, 256, bias: false), views: [32, 32]),
        "moco_v3/small": .init(
            encoder: small, heads: mlp(128, 1024, 256, bias: false) + mlp(256, 1024, 256, bias: false),
            copies: small + mlp(128, 1024, 256, bias: false), views: [32, 32]),
        "dcl/small": .init(encoder: small, heads: simCLR(128, 512, 128), copies: 0, views: [32, 32]),
        "dcl/cifar10": .init(encoder: full, heads: simCLR(512, 512, 128), copies: 0, views: [32, 32]),
        "dcl/imagenet": .init(encoder: large, heads: simCLR(2048, 2048, 128), copies: 0, views: [224, 224]),
        "dcl/small-weighted": .init(encoder: small, heads: simCLR(128, 512, 128), copies: 0, views: [32, 32]),
        "nnclr/cifar10": .init(
            encoder: full, heads: mlp(512, 2048, 2048, 256, bias: false) + norm(256) + mlp(256, 4096, 256), copies: 0, views: [32, 32]),
        "nnclr/small": .init(
            encoder: small, heads: mlp(128, 512, 512, 256, bias: false) + norm(256) + mlp(256, 1024, 256), copies: 0, views: [32, 32]),
        "ressl/cifar10": .init(encoder: full, heads: mlp(512, 4096, 256), copies: full + mlp(512, 4096, 256), views: [32, 32]),
        "ressl/imagenet": .init(encoder: large, heads: mlp(2048, 4096, 512), copies: large + mlp(2048, 4096, 512), views: [224, 224]),
        "ressl/small": .init(encoder: small, heads: mlp(128, 1024, 256), copies: small + mlp(128, 1024, 256), views: [32, 32]),
        "supcon/cifar10": .init(encoder: full, heads: linear(512, 2048) + linear(2048, 256), copies: 0, views: [32, 32]),
        "supcon/imagenet": .init(encoder: large, heads: linear(2048, 2048) + linear(2048, 128), copies: 0, views: [224, 224]),
        "supcon/small": .init(encoder: small, heads: linear(128, 512) + linear(512, 128), copies: 0, views: [32, 32]),
        "supcon/small-in": .init(encoder: small, heads: linear(128, 512) + linear(512, 128), copies: 0, views: [32, 32]),
        "instance_discrimination/cifar10": .init(encoder: full, heads: linear(512, 128), copies: 0, views: [32]),
        "instance_discrimination/small": .init(encoder: small, heads: linear(128, 128), copies: 0, views: [32]),
        "triplet/cifar10": .init(encoder: full, heads: mlp(512, 512, 128), copies: 0, views: [32, 32]),
        "triplet/small": .init(encoder: small, heads: mlp(128, 512, 128), copies: 0, views: [32, 32]),
        "simsiam/cifar10": .init(
            encoder: full, heads: mlp(512, 2048, 2048, 2048, bias: false) + mlp(2048, 512, 2048), copies: 0, views: [32, 32]),
        "simsiam/small": .init(
            encoder: small, heads: mlp(128, 2048, 2048, bias: false) + mlp(2048, 512, 2048), copies: 0, views: [32, 32]),
        "dino/cifar10": .init(
            encoder: full, heads: linear(512, 2048) + linear(2048, 2048) + linear(2048, 256) + 4096 * 256,
            copies: full + linear(512, 2048) + linear(2048, 2048) + linear(2048, 256) + 4096 * 256, views: [32, 32]),
        "dino/small": .init(
            encoder: small, heads: linear(128, 512) + linear(512, 512) + linear(512, 256) + 2 * norm(512) + 2048 * 256,
            copies: small + linear(128, 512) + linear(512, 512) + linear(512, 256) + 2 * norm(512) + 2048 * 256, views: [32, 32]),
        "swav/cifar10": .init(encoder: full, heads: mlp(512, 2048, 128) + 3000 * 128, copies: 0, views: [32, 32]),
        "swav/small": .init(encoder: small, heads: mlp(128, 512, 128) + 512 * 128, copies: 0, views: [32, 32]),
        "simclr/imagenet-v2": .init(
            encoder: large, heads: simCLR(2048, 2048, 128) + 2048 * 2048 + norm(2048), copies: 0, views: [224, 224]),
        "deepcluster_v2/cifar10": .init(encoder: full, heads: mlp(512, 2048, 128), copies: 3 * 3000 * 128, views: [32, 32]),
        "deepcluster_v2/small": .init(encoder: small, heads: mlp(128, 512, 128), copies: 3 * 300 * 128, views: [32, 32]),
        "deepcluster/small": .init(encoder: small, heads: linear(128, 100), copies: 0, views: [32]),
        "deepcluster/cifar10": .init(encoder: full, heads: linear(512, 1000), copies: 0, views: [32]),
        "deepcluster/imagenet": .init(encoder: large, heads: linear(2048, 10000), copies: 0, views: [224]),
        "local_aggregation/small": .init(encoder: small, heads: linear(128, 128), copies: 0, views: [32]),
        "local_aggregation/cifar10": .init(encoder: full, heads: linear(512, 128), copies: 0, views: [32]),
        "local_aggregation/imagenet": .init(encoder: large, heads: linear(2048, 128), copies: 0, views: [224]),
        "obow/small": .init(encoder: small, heads: mlp(64, 256, 128) + mlp(128, 256, 128), copies: small, views: [32, 32, 32]),
        "obow/cifar10": .init(encoder: full, heads: mlp(256, 1024, 512) + mlp(512, 1024, 512), copies: full, views: [32, 32, 32]),
        "obow/imagenet": .init(
            encoder: large, heads: mlp(1024, 4096, 2048) + mlp(2048, 4096, 2048), copies: large,
            views: [224, 160, 160, 96, 96, 96, 96, 96]),
        "pirl/small": .init(encoder: small, heads: 2 * linear(128, 128), copies: 0, views: [32, 32]),
        "pirl/cifar10": .init(encoder: full, heads: 2 * linear(512, 128), copies: 0, views: [32, 32]),
        "pirl/imagenet": .init(
            encoder: large, heads: 2 * linear(2048, 128) + linear(9 * 128, 128), copies: 0, views: [224, 224]),
        "smog/small": .init(
            encoder: small, heads: mlp(128, 512, 128) + mlp(128, 512, 128), copies: small + mlp(128, 512, 128), views: [32, 32]),
        "smog/cifar10": .init(
            encoder: full, heads: mlp(512, 2048, 128) + mlp(128, 2048, 128), copies: full + mlp(512, 2048, 128), views: [32, 32]),
        "smog/imagenet": .init(
            encoder: large, heads: mlp(2048, 2048, 128) + mlp(128, 2048, 128), copies: large + mlp(2048, 2048, 128), views: [224, 224]),
        "cmc/small": .init(encoder: 351_288, heads: 2 * linear(64, 128), copies: 0, views: [32]),
        "cmc/cifar10": .init(encoder: 5_589_216, heads: 2 * linear(256, 128), copies: 0, views: [32]),
        "cmc/imagenet": .init(encoder: 11_780_576, heads: 2 * linear(1024, 128), copies: 0, views: [224]),
        "amdim/small": .init(encoder: small, heads: amdim(64, 512, 256) + 2 * amdim(128, 512, 256), copies: 0, views: [32, 32]),
        "amdim/cifar10": .init(encoder: full, heads: amdim(256, 1024, 1024) + 2 * amdim(512, 1024, 1024), copies: 0, views: [32, 32]),
        "amdim/imagenet": .init(
            encoder: large, heads: amdim(1024, 2560, 2560) + 2 * amdim(2048, 2560, 2560), copies: 0, views: [128, 128]),
        "cpc/small": .init(encoder: small, heads: cpc(128, 64, blocks: 3, directions: 4), copies: 0, views: [32]),
        "cpc/cifar10": .init(encoder: full, heads: cpc(512, 256, blocks: 5, directions: 4), copies: 0, views: [32]),
        "cpc/imagenet": .init(encoder: large, heads: cpc(2048, 256, blocks: 5, directions: 4), copies: 0, views: [256]),
        "vicregl/small": .init(
            encoder: small, heads: mlp(128, 512, 512, 512, bias: false) + mlp(128, 128, 128, 128, bias: false), copies: 0, views: [32, 32]),
        "vicregl/cifar10": .init(
            encoder: full, heads: mlp(512, 2048, 2048, 2048, bias: false) + mlp(512, 512, 512, 512, bias: false), copies: 0,
            views: [32, 32]
        ),
        "vicregl/imagenet": .init(
            encoder: large, heads: mlp(2048, 8192, 8192, 8192, bias: false) + mlp(2048, 512, 512, 512, bias: false), copies: 0,
            views: [224, 224]),
        "all4one/small": .init(
            encoder: small, heads: all4one(128, 512, 1024), copies: small + mlp(128, 512, 512, 256, bias: false) + norm(256),
            views: [32, 32]),
        "all4one/cifar10": .init(
            encoder: full, heads: all4one(512, 2048, 4096), copies: full + mlp(512, 2048, 2048, 256, bias: false) + norm(256),
            views: [32, 32]),
        "all4one/imagenet": .init(
            encoder: large, heads: all4one(2048, 2048, 4096), copies: large + mlp(2048, 2048, 2048, 256, bias: false) + norm(256),
            views: [224, 224]),
        "bownet/small": .init(encoder: small, heads: 512 * 128 + 1, copies: teacher, views: [32, 32]),
        "bownet/cifar10": .init(encoder: full, heads: 2048 * 512 + 1, copies: teacher, views: [32, 32]),
        "bownet/imagenet": .init(encoder: large, heads: 2048 * 2048 + 1, copies: teacher, views: [224, 224]),
        "rotnet/cifar10": .init(encoder: full, heads: linear(512, 4), copies: 0, views: [32, 32, 32, 32]),
        "rotnet/small": .init(encoder: small, heads: linear(128, 4), copies: 0, views: [32, 32, 32, 32]),
        "supervised/cifar10": .init(encoder: full, heads: linear(512, 3), copies: 0, views: [32]),
        "mean_teacher/cifar10": .init(encoder: full, heads: linear(512, 3), copies: full + linear(512, 3), views: [32, 32]),
        "mean_teacher/small": .init(encoder: small, heads: linear(128, 3), copies: small + linear(128, 3), views: [32, 32]),
        "supervised/small": .init(encoder: small, heads: linear(128, 3), copies: 0, views: [32]),
        "rotnet/imagenet": .init(encoder: 57_014_336, heads: linear(4096, 4), copies: 0, views: [227, 227, 227, 227]),
        "rotnet/imagenet-resnet50": .init(encoder: large, heads: linear(2048, 4), copies: 0, views: [224, 224, 224, 224]),
        "rotnet/imagenet-revnet50": .init(encoder: 85_765_632, heads: linear(8192, 4), copies: 0, views: [224, 224, 224, 224]),
        "simclr/imagenet-v2-sk": .init(
            encoder: 35_215_584, heads: simCLR(2048, 2048, 128) + 2048 * 2048 + norm(2048), copies: 0, views: [224, 224]),
        "simclr/imagenet-v2-wide": .init(
            encoder: 140_306_048, heads: simCLR(4096, 4096, 128) + 4096 * 4096 + norm(4096), copies: 0, views: [224, 224]),
        "s4l/imagenet": .init(encoder: large, heads: linear(2048, 3) + linear(2048, 4), copies: 0, views: [224, 224, 224, 224]),
        "s4l/imagenet-exemplar": .init(
            encoder: large, heads: linear(2048, 3) + linear(2048, 1000), copies: 0, views: .init(repeating: 224, count: 8)),
        "s4l/cifar10": .init(encoder: full, heads: linear(512, 3) + linear(512, 4), copies: 0, views: [32, 32, 32, 32]),
        "s4l/small": .init(encoder: small, heads: linear(128, 3) + linear(128, 4), copies: 0, views: [32, 32, 32, 32]),
        "s4l/small-exemplar": .init(encoder: small, heads: linear(128, 3) + linear(128, 128), copies: 0, views: [32, 32, 32, 32]),
        "pseudo_label/cifar10": .init(encoder: full, heads: linear(512, 3), copies: 0, views: [32]),
        "pseudo_label/small": .init(encoder: small, heads: linear(128, 3), copies: 0, views: [32]),
        "entropy_minimization/cifar10": .init(encoder: full, heads: linear(512, 3), copies: 0, views: [32]),
        "entropy_minimization/small": .init(encoder: small, heads: linear(128, 3), copies: 0, views: [32]),
        "frame_order/small": .init(encoder: small, heads: clip(4, 128, 128, 12), copies: 0, views: .init(repeating: 32, count: 4)),
        "playback_rate/small": .init(encoder: small, heads: clip(8, 128, 128, 3), copies: 0, views: .init(repeating: 32, count: 8)),
        "temporal_transformation/small": .init(
            encoder: small, heads: clip(8, 128, 128, 6), copies: 0, views: .init(repeating: 32, count: 8)),
        "motion_estimation/small": .init(encoder: small, heads: clip(2, 128, 128, 9), copies: 0, views: [32, 32]),
        "temporal_contrast/small": .init(encoder: small, heads: mlp(128, 512, 128), copies: 0, views: [32, 32, 32, 32]),
        "temporal_contrast/kinetics": .init(
            encoder: large, heads: mlp(2048, 2048, 128), copies: 0, views: .init(repeating: 224, count: 32)),
        // Three gates on two maps, and two layers of the prediction.
        "dense_predictive_coding/small": .init(
            encoder: small, heads: 3 * linear(256, 128) + 2 * linear(128, 128), copies: 0, views: .init(repeating: 32, count: 6)),
        "object_consistency/small": .init(encoder: small, heads: linear(128, 128), copies: 0, views: [32, 32, 32, 32]),
        // With the stem of large images.
        "frame_order/ucf101-verification": .init(
            encoder: 11_176_512, heads: clip(3, 512, 512, 2), copies: 0, views: .init(repeating: 224, count: 3)),
        "frame_order/ucf101": .init(encoder: 11_176_512, heads: clip(4, 512, 512, 12), copies: 0, views: .init(repeating: 80, count: 4)),
        "playback_rate/ucf101": .init(
            encoder: 11_176_512, heads: clip(16, 512, 512, 4), copies: 0, views: .init(repeating: 112, count: 16)),
        "temporal_transformation/ucf101": .init(
            encoder: 11_176_512, heads: clip(16, 512, 512, 7), copies: 0, views: .init(repeating: 112, count: 16)),
        "motion_estimation/ucf101": .init(encoder: 11_176_512, heads: clip(2, 512, 512, 9), copies: 0, views: [112, 112]),
        "dense_predictive_coding/kinetics": .init(
            encoder: 11_176_512, heads: 3 * linear(1024, 512) + 2 * linear(512, 512), copies: 0, views: .init(repeating: 128, count: 8)),
        "object_consistency/kinetics": .init(
            encoder: 11_176_512, heads: linear(512, 128), copies: 0, views: .init(repeating: 256, count: 4)),
    ]

    @Test func allAreExpected() { #expect(ShippedRecipes.names == Self.expected.keys.sorted()) }

    @Test(arguments: ShippedRecipes.names) func isWhole(_ name: String) throws {
        let path = ShippedRecipes.path(name)
        let read = try RecipeFile().read(path)
        #expect(try RecipeFile().parse(RecipeFile.text(read), source: "again") == read)
        // Written and read again it is the same file: nothing is left to a default.
        #expect(try RecipeFile.text(read) == String(contentsOfFile: path, encoding: .utf8))
        #expect(read.method.name == name.split(separator: "/").first.map(String.init))
        #expect(read.provenance.count > 40 && !read.provenance.contains("\n"))
        #expect(read.backbone.stem != nil || read.backbone.patchSize != nil, "the stem or the patches are said")
        #expect(read.data.path == nil && read.data.limit == nil)
    }

    /// The networks and views of full size.
    @Test(arguments: ShippedRecipes.names) func buildsWhatItsSourceDescribes(_ name: String) throws {
        let recipe = try RecipeFile().read(ShippedRecipes.path(name), changes: teacher(name))
        let expected = try #require(Self.expected[name])
        let entry = try MethodRegistry.standard.entry(named: recipe.method.name)
        let method = try entry.make(recipe.method.settings, context(recipe))
        #expect(method.encoder.parameterCount == expected.encoder)
        let learned = method.parameters.filter(\.isTrainable).reduce(0) { $0 + $1.value.count }
        #expect(learned == expected.encoder + expected.heads - expected.frozen)
        #expect(method.parameterCount - learned == expected.copies + expected.frozen)
        let maker = try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: recipe.views)
        #expect(maker.outputs.compactMap { $0.imageSize } == expected.views.map { ImageSize($0) })
    }

    /// Two steps by the trainer, of a narrow network in small batches; everything else as the file has it.
    @Test(arguments: ShippedRecipes.names) func runs(_ name: String) throws {
        let isLarge = ["imagenet", "kinetics", "ucf101"].contains { name.contains($0) }
        var changes = try ["backbone.width=4", "training.batchSize=4", "data.cacheMegabytes=1"] + teacher(name)
        // The warm-up begins too low for float32 to see it in two steps.
        if isLarge { changes += ["training.warmUpEpochs=0"] }
        // Views of a recipe's own have their size.
        // AlexNet sees tiles and patches of 64 and 96 pixels, and no smaller ones.
        let needsSize = name.hasSuffix("-alexnet")
        if isLarge, !needsSize, try read(name).views == nil { changes += ["data.imageSize=\(Self.transformers[name] == nil ? 72 : 64)"] }
        if name.hasPrefix("bownet/") { changes += ["method.words=100"] }
        if name.hasPrefix("deepcluster_v2/") { changes += ["method.prototypes=5"] }
        if ["deepcluster/", "local_aggregation/"].contains(where: name.hasPrefix) { changes += ["method.clusters=5"] }
        // A whitened sub-batch that is smaller than the batch.
        if name.hasPrefix("w_mse/") { changes += ["method.outputWidth=2", "method.whiteningSize=4", "method.shrinkage=0.1"] }
        let recipe = try RecipeFile().read(ShippedRecipes.path(name), changes: changes)
        try withTemporaryFolder { folder in
            var options = Trainer.Options()
            options.rehearses = false
            // Asked after every step.
            var steps = 0
            options.shouldStop = {
                steps += 1
                return steps == 2
            }
            let trainer = try Trainer(recipe, dataset: NoisePictures(count: 14), folder: RunFolder("\(folder)/run"), options: options)
            let before = trainer.method.stateDict.mapValues { $0.cloned() }
            #expect(try trainer.run() == .interrupted)
            #expect(steps == 2)
            for (key, tensor) in trainer.method.stateDict {
                #expect(tensor.to(.float64).isFinite().all().item == 1, "\(key)")
                let isFirst = key.hasSuffix("encoder.conv1.weight") || key.hasSuffix("blocks.0.attn.qkv.weight")
                if isFirst, !["target", "teacher", "decoder", "predictor"].contains(where: key.hasPrefix) {
                    #expect(difference(tensor, try #require(before[key]), .exact) != nil, "\(key) has not moved")
                }
            }
            #expect(try RecipeFile().read(trainer.folder.recipe) == recipe)
        }
    }

    /// Every published network takes too long for every day.
    private static let isSlow = ProcessInfo.processInfo.environment["FOVEA_SLOW_TESTS"] != nil
    private static let steppedAtFullSize = ShippedRecipes.names.filter {
        isSlow || $0.hasSuffix("small") || ["simclr/imagenet", "swav/imagenet", "pirl/imagenet"].contains($0)
    }

    /// Two steps of the networks as they were published, on images of the published size.
    @Test(arguments: steppedAtFullSize) func stepsAtFullSize(_ name: String) throws {
        let recipe = try RecipeFile().read(ShippedRecipes.path(name), changes: teacher(name))
        let entry = try MethodRegistry.standard.entry(named: recipe.method.name)
        Runtime.seed(1)
        let method = try entry.make(recipe.method.settings, context(recipe))
        let maker = try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: recipe.views)
        let count = method.leastBatch
        let loader = Loader(dataset: NoisePictures(count: count), maker: maker, seed: 1, threads: 0)
        let batch = Batch(try #require(loader.epoch(0, order: Array(0..<count), batchSize: count).next()), on: .cpu)
        let phase = PhaseOptimizer(method.phases[0], recipe.training)
        func first() throws -> Tensor {
            let state = method.encoder.stateDict
            let first = ["conv1.weight", "conv1.0.weight", "features.0.weight", "blocks.0.attn.qkv.weight", "classifier.0.weight"]
            let key = try #require(first.lazy.compactMap { name in state.keys.filter { $0.hasSuffix(name) }.min() }.first)
            return try #require(state[key]).cloned()
        }
        let before = try first()
        for index in 0..<2 {
            // Behind the epochs in which layers stand still.
            let step = Step(epoch: 1, index: index, total: 100)
            method.clearGradients()
            let losses = method.loss(batch, step)
            #expect(losses.total.item.isFinite)
            losses.total.backward()
            phase.step(
                learningRate: Self.transformers[name] == nil ? 0.1 : 1e-4, peak: 0.1,
                weightDecay: recipe.training.weightDecaySchedule.map(step.value))
            method.movingAverages.forEach { $0.update(step) }
            method.afterStep(batch, step)
        }
        #expect(method.stateDict.values.allSatisfy { $0.to(.float64).isFinite().all().item == 1 })
        #expect(difference(try first(), before, .exact) != nil)
    }

    /// What a recipe cannot know.
    private func teacher(_ name: String) throws -> [String] {
        name.hasPrefix("bownet/") ? ["method.teacher=\(try TinyTeacher.path())"] : []
    }

    // MARK: The numbers of the sources

    private func read(_ name: String) throws -> Recipe { try RecipeFile().read(ShippedRecipes.path(name)) }

    private func steps(_ recipe: Recipe, _ view: Int = 0) throws -> [any AugmentationStep] {
        try #require(recipe.views).views[view].augmentations.map(\.step)
    }

    @Test func scheduleAndOptimizerAreTheSources() throws {
        let solo = try read("simclr/cifar10").training
        #expect(solo.epochs == 1000 && solo.batchSize == 256 && solo.scaledLearningRate == 0.4 && solo.weightDecay == 1e-4)
        #expect(solo.optimizer.name == .lars && solo.optimizer.trustCoefficient == 0.02 && solo.optimizer.clipsLearningRate)
        #expect(solo.rateSchedule == .warmUp(fraction: 0.01, from: 3e-5, then: .cosine(from: 0.4, to: 0)) && !solo.decaysVectors)
        let paper = try read("simclr/imagenet").training
        #expect((paper.scaledLearningRate - 4.8).magnitude < 1e-12 && paper.weightDecay == 1e-6 && paper.epochs == 100)
        #expect(paper.optimizer.name == .lars && paper.optimizer.trustCoefficient == 0.001 && !paper.optimizer.clipsLearningRate)
        let lightly = try read("simclr/cifar10-lightly").training
        #expect(lightly.rateSchedule == .cosine(from: 0.06, to: 0) && lightly.decaysVectors && lightly.weightDecay == 5e-4)
        #expect(lightly.optimizer.name == .sgd && !lightly.optimizer.nesterov && lightly.batchSize == 128)
        let byol = try read("byol/imagenet").training
        #expect((byol.scaledLearningRate - 3.2).magnitude < 1e-12 && byol.weightDecay == 1.5e-6 && byol.epochs == 1000)
        let rotNet = try read("rotnet/cifar10").training
        for (epoch, rate) in [(0, 0.1), (59, 0.1), (60, 0.02), (119, 0.02), (120, 0.004), (160, 0.0008), (199, 0.0008)] {
            #expect((rotNet.rateSchedule.value(at: epoch, of: 200) - rate).magnitude < 1e-12, "epoch \(epoch)")
        }
    }

    /// Small recipes with smaller batches than 128, which learn more in their few epochs, as their provenance says.
    private static let smallBatches: [String: Int] = [
        "bownet/small": 64, "byol/small": 64, "cmc/small": 64, "colorization/small": 32, "cpc/small": 64, "exemplar/small": 64,
        "ibot/small": 64, "instance_discrimination/small": 64, "local_aggregation/small": 64, "msn/small": 64, "obow/small": 64,
        "pirl/small": 64, "simsiam/small": 64, "smog/small": 64, "split_brain/small": 32, "tico/small": 64,
    ]

    /// Epochs in batches of 16 of tasks that clips are seen more often for.
    private static let taskEpochs = [
        "frame_order/small": 90, "playback_rate/small": 60, "temporal_transformation/small": 60, "motion_estimation/small": 60,
    ]

    /// SimCLR's is lightly's but for the temperature and the learning rate, as its provenance says; one protocol for all.
    @Test func smallRecipesAreThePeers() throws {
        let simCLR = try read("simclr/small")
        #expect(simCLR.training.scaledLearningRate == 0.24 && simCLR.training.weightDecay == 5e-4 && simCLR.training.warmUpEpochs == 1)
        #expect(simCLR.backbone == BackboneSettings("resnet18", width: 16, stem: .small) && simCLR.training.epochs == 8)
        let byol = try read("byol/small")
        #expect(byol.training.scaledLearningRate == 0.06 && byol.training.weightDecay == 1e-4)
        #expect((byol.method.settings as? BYOL.Settings)?.targetDecay == .constant(0.99))
        // Its views are SimCLR's.
        let settings = try #require(simCLR.method.settings as? SimCLR.Settings)
        #expect(settings.jitterStrength == 0.5)
        #expect(try SimCLR.views(settings, imageSize: 32) as? ViewRecipe == byol.views)
        for name in ShippedRecipes.names where name.hasSuffix("/small") {
            let recipe = try read(name)
            // A few labels are seen more often, and a few clips.
            let isOfClips = try MethodRegistry.standard.entry(named: recipe.method.name).card.needsClips
            let (epochs, batch) =
                isOfClips
                ? (Self.taskEpochs[name] ?? 30, Self.taskEpochs[name] == nil ? 32 : 16)
                : (name == "mean_teacher/small" ? 12 : 8, Self.smallBatches[name] ?? 128)
            #expect(recipe.training.epochs == epochs && recipe.training.batchSize == batch, "\(name)")
            if !isOfClips {
                #expect(recipe.provenance.lowercased().contains("batches of \(batch)") || batch == 128, "\(name)")
                #expect(!recipe.provenance.lowercased().contains("batches of 64") || batch < 128, "\(name)")
            }
            #expect(recipe.training.decaysVectors || recipe.training.optimizer.name != .sgd, "\(name)")
            let backbone = recipe.backbone
            if Self.transformers[name] == nil {
                #expect(backbone == simCLR.backbone, "\(name)")
            } else {
                #expect(backbone.name == "vit_tiny" && backbone.width == 32 && backbone.depth == 6 && backbone.patchSize == 4, "\(name)")
            }
        }
    }

    @Test func viewsAreTheSources() throws {
        let symmetric = try steps(read("simclr/cifar10"))
        #expect(symmetric[2] as? ColorJitter == ColorJitter(brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2, p: 0.8))
        #expect((symmetric[4] as? GaussianBlur)?.p == 0.5 && (symmetric[0] as? RandomResizedCrop)?.interpolation == .bicubic)
        let asymmetric = try read("byol/cifar10")
        let jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, p: 0.8)
        #expect(try steps(asymmetric, 0).map { type(of: $0).name } == ["randomResizedCrop", "horizontalFlip", "colorJitter", "grayscale"])
        #expect(
            try steps(asymmetric, 1).map { type(of: $0).name }
                == ["randomResizedCrop", "horizontalFlip", "colorJitter", "grayscale", "solarize"])
        #expect(try steps(asymmetric, 0)[2] as? ColorJitter == jitter)
        #expect(try steps(asymmetric, 1)[2] as? ColorJitter == jitter)
        #expect(try steps(asymmetric, 1)[4] as? Solarize == Solarize(p: 0.2))
        let lightly = try steps(read("simclr/cifar10-lightly"))
        #expect((lightly[0] as? RandomResizedCrop)?.interpolation == .bilinear && lightly.count == 4)
        #expect(lightly[2] as? ColorJitter == ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1, p: 0.8))
        #expect(try read("simclr/imagenet").views == nil)
        #expect((try read("simclr/imagenet").method.settings as? SimCLR.Settings)?.jitterStrength == 1)
    }

    private func context(_ recipe: Recipe) -> MethodContext {
        // What is divided into clusters must be as many.
        let isClustered = ["bownet", "deepcluster", "deepcluster_v2", "local_aggregation"].contains(recipe.method.name)
        return MethodContext(
            backbone: recipe.backbone, input: recipe.data.input, imageSize: recipe.data.imageSize, sampleCount: isClustered ? 30_000 : 14,
            classCount: 3)
    }
}
