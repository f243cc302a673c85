import TestSupport
import Testing
import Torch

@testable import Backbones

/// Against timm's vision transformer with the same weights (generate_backbones.py), and what it adds.
@Suite struct VisionTransformerTests {
    private func network(_ change: (inout BackboneSettings) -> Void = { _ in }) throws -> VisionTransformer {
        var settings = BackboneSettings("vit_tiny")
        change(&settings)
        let net = try #require(try BackboneRegistry.make(settings, imageSize: 32) as? VisionTransformer)
        return net
    }

    private func filled(_ change: (inout BackboneSettings) -> Void = { _ in }) throws -> VisionTransformer {
        let net = try network(change)
        try Formula.fill(net)
        net.convert(to: .float64)
        net.eval()
        return net
    }

    private static func images(_ name: String = "vit", _ shape: [Int] = [6, 3, 32, 32]) -> Tensor {
        Formula.tensor("\(name).input", shape, scale: 2).to(.float64)
    }

    private let values = try! ReferenceValues.load("backbones_more").under("vit")
    private let close = Tolerance(relative: 1e-9, absolute: 1e-9)

    @Test func lastBlocksAndMaps() throws {
        let net = try filled()
        withoutGradients {
            let layers = net.normalizedBlocks(Self.images(), 3)
            #expect(layers.count == 3)
            for (index, layer) in layers.enumerated() {
                expectClose(layer[0..<2].narrowed(1, from: 0, count: 9), values["last.\(index)"], close, "block \(index)")
            }
            let joined = net.features(Self.images(), at: Set(net.joinedNames))
            #expect(joined["last4"]?.shape == [6, 4 * 192, 1, 1] && joined["last+mean"]?.shape == [6, 2 * 192, 1, 1])
            let (last, mean) = (joined["last4"]!.flattened(from: 1), joined["last+mean"]!.flattened(from: 1))
            for index in 0..<3 {
                let token = values["last.\(index)"].selected(1, 0)
                expectClose(last[0..<2].narrowed(1, from: (index + 1) * 192, count: 192), token, close, "class token \(index)")
                if index == 2 { expectClose(mean[0..<2].narrowed(1, from: 0, count: 192), token, close) }
            }
            expectClose(mean.narrowed(1, from: 192, count: 192), layers[2].narrowed(1, from: 1, count: 64).mean(1), close)
            let maps = net.features(Self.images(), at: ["block5", "patches"])
            #expect(Set(maps.keys) == ["block5", "patches"])
            expectClose(maps["block5"]![0..<1], values["block5"], close)
            #expect(maps["patches"]!.shape == [6, 192, 8, 8])
            #expect(net.layerNames.count == 13 && net.layerNames.last == "block12")
        }
    }

    @Test func attention() throws {
        let net = try filled()
        withoutGradients {
            let found = net.attention(Self.images(), block: 5)
            #expect(found.shape == [6, 3, 65, 65])
            expectClose(found[0..<1].narrowed(2, from: 0, count: 20), values["attention"], close)
            expectClose(found.sum(3), .ones([6, 3, 65], .float64), close)
            expectSame(net.attention(Self.images()), net.attention(Self.images(), block: 11))
            #expect(
                difference(net.attention(Self.images(), block: 4)[0..<1].narrowed(2, from: 0, count: 20), values["attention"], close) != nil
            )
        }
    }

    /// What fine-tuning and saliency ask of it.
    @Test func depthsAndTheClassTokensAttention() throws {
        let net = try filled { $0.depth = 3 }
        let keys = net.namedParameters.map(\.key)
        let first = keys.filter { net.depth(ofParameter: $0) == 0 }
        #expect(Set(first) == ["cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"])
        #expect(net.depthCount == 4 && net.depth(ofParameter: "norm.weight") == 3)
        for block in 0..<3 {
            #expect(keys.filter { $0.hasPrefix("blocks.\(block).") }.allSatisfy { net.depth(ofParameter: $0) == block + 1 })
        }
        withoutGradients {
            let images = Self.images("vit", [6, 3, 32, 24])
            let maps = net.attentionMaps(images)!
            #expect(maps.shape == [6, 3, 8, 6])
            let whole = net.attention(images)
            // Query 0 is the class token; the patch at row 2 and column 5 is key 1 + 2 · 6 + 5.
            expectSame(maps.selected(2, 2).selected(2, 5), whole.selected(2, 0).selected(2, 18))
        }
    }

    @Test func meanOfPatches() throws {
        let net = try filled { $0.pooling = .mean }
        let found = withoutGradients { net(Self.images()) }
        expectClose(found, values["mean"], close)
        #expect(difference(found, values["evaluation"], close) != nil)
    }

    /// timm interpolates positions in float32.
    @Test(arguments: [("larger", 52, 36), ("smaller", 16, 20)]) func otherImageSizes(_ name: String, _ height: Int, _ width: Int) throws {
        let net = try filled()
        let images = Self.images(name, [2, 3, height, width])
        withoutGradients {
            expectClose(net(images), values[name], Tolerance(relative: 2e-5, absolute: 2e-5))
            // What does not fill a patch is left out.
            expectSame(net(.concatenated([images, images[0..<2].narrowed(2, from: 0, count: 3)], dimension: 2)), net(images))
        }
        #expect(net.grid(height: height + 3, width: width) == PatchGrid(rows: height / 4, columns: width / 4))
    }

    @Test func visiblePatches() throws {
        let net = try filled()
        let (x, indices) = (Self.images(), values["indices"])
        withoutGradients {
            let found = net.tokens(x, .visible(indices))
            #expect(found.shape == [6, 17, 192])
            expectClose(found, values["visible"], close)
            // What is hidden has no influence.
            var hidden = [Float](repeating: 1, count: 6 * 64)
            for (row, places) in stride(from: 0, to: 6 * 16, by: 16).map({ Array(indices.ints[$0..<$0 + 16]) }).enumerated() {
                for place in places { hidden[row * 64 + place] = 0 }
            }
            let noise = Tensor(hidden, [6, 1, 8, 8]).to(.float64)
            let map = noise.unsqueezed(3).unsqueezed(5).expanded([6, 1, 8, 4, 8, 4]).reshaped(6, 1, 32, 32)
            expectSame(net.tokens(x + map * Tensor.randn([6, 3, 32, 32], .float64), .visible(indices)), found)
            // All in another order are all of them.
            let all = Tensor.stacked((0..<6).map { _ in Tensor.randomPermutation(64) })
            expectClose(net.tokens(x, .visible(all)).selected(1, 0), net(x), close)
            #expect(difference(net.tokens(x, .visible((63 - indices).to(.int64))), values["visible"], close) != nil)
        }
    }

    @Test func replacedPatches() throws {
        let net = try filled()
        let (x, mask, token) = (Self.images(), values["mask"], values["token"])
        withoutGradients {
            expectClose(net.tokens(x, .replaced(mask, by: token)).narrowed(1, from: 0, count: 9), values["replaced"], close)
            #expect(
                difference(net.tokens(x, .replaced(mask.not, by: token)).narrowed(1, from: 0, count: 9), values["replaced"], close) != nil)
            expectSame(net.tokens(x, .replaced(mask.logicalAndNot(mask), by: token)), net.tokens(x, .none))
        }
        token.requiresGradient = true
        net.tokens(x, .replaced(mask, by: token)).sum().backward()
        #expect(token.gradient != nil)
    }

    @Test func fixedPositionsAreMAEs() throws {
        let expected = try ReferenceValues.load("backbones_more")["positions"]
        let found = PositionEmbedding.sinCos(PatchGrid(rows: 3, columns: 5), width: 24)
        expectClose(found, expected, Tolerance(relative: 1e-6, absolute: 1e-6))
        #expect(difference(PositionEmbedding.sinCos(PatchGrid(rows: 5, columns: 3), width: 24), expected, .float32) != nil)

        let net = try network {
            $0.positions = .fixed
            $0.freezesProjection = true
        }
        let position = try #require(net.namedParameters.first { $0.key == "pos_embed" }).parameter
        #expect(position.value[0][0].doubles.allSatisfy { $0 == 0 }, "the class token has no place")
        expectSame(position.value[0][1..<65], PositionEmbedding.sinCos(PatchGrid(rows: 8, columns: 8), width: 192))
        let frozen = net.namedParameters.filter { !$0.parameter.isTrainable }.map(\.key)
        #expect(frozen == ["pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"])
        net(.randn([2, 3, 32, 32])).sum().backward()
        for (key, parameter) in net.namedParameters { #expect((parameter.value.gradient == nil) == frozen.contains(key), "\(key)") }
        #expect(try network().parameters.allSatisfy(\.isTrainable))
    }

    /// timm's and DINO's normal of 0.02; MAE's and MoCo v3's uniform distributions, queries, keys and values apart.
    @Test func initialisation() throws {
        Runtime.seed(4)
        func weight(_ net: VisionTransformer, _ key: String) throws -> Tensor { try #require(net.stateDict[key]) }
        let learned = try network()
        for key in ["blocks.3.attn.qkv.weight", "blocks.0.mlp.fc1.weight", "pos_embed"] {
            let deviation = try weight(learned, key).squared().mean().item.squareRoot()
            #expect((deviation / 0.02 - 1).magnitude < 0.03, "\(key)")
        }
        #expect(try weight(learned, "blocks.3.attn.qkv.bias").abs().max().item == 0)
        let fixed = try network { $0.positions = .fixed }
        // Inputs and outputs together.
        let widths: [(String, Double)] = [
            ("blocks.3.attn.qkv.weight", 384), ("blocks.0.mlp.fc1.weight", 960), ("patch_embed.proj.weight", 240),
        ]
        for (key, width) in widths {
            let bound = (6 / width).squareRoot()
            let largest = try weight(fixed, key).abs().max().item
            #expect(largest <= bound && largest > 0.99 * bound, "\(key)")
        }
    }

    @Test func blocksAreDroppedInTrainingOnly() throws {
        Runtime.seed(5)
        let net = try network {
            $0.dropPath = 0.5
            $0.depth = 4
        }
        let x = Tensor.randn([8, 3, 32, 32])
        let whole = withoutGradients { net.evaluating { net(x) } }
        expectSame(withoutGradients { net(x) }, whole, "targets, which need no graph, are made by the whole network")
        #expect(difference(net(x).detached(), whole, .float32) != nil)
        #expect(difference(net(x).detached(), net(x).detached(), .float32) != nil)
        // Whole images lose a part, which counts double where it stays.
        let block = TransformerBlock(width: 24, heads: 3, dropPath: 0.5)
        let tokens = Tensor.randn([64, 5, 24])
        tokens.requiresGradient = true
        let branch = (block.attn(block.norm1(tokens))).detached()
        block.mlp.fc2.setTrainable(false)
        withoutGradients { block.mlp.fc2.weight.value.zeroInPlace() }
        withoutGradients { block.mlp.fc2.bias?.value.zeroInPlace() }
        let added = (block(tokens) - tokens).detached()
        var kept = 0
        for image in 0..<64 {
            let isKept = added[image].abs().max().item > 0
            if isKept { expectClose(added[image], branch[image] * 2, .float32) }
            kept += isKept ? 1 : 0
        }
        #expect((16...48).contains(kept))
        expectSame(block.evaluating { (block(tokens) - tokens).detached() }, (tokens + branch - tokens).detached())
    }

    @Test func settingsFollowTheImageSize() throws {
        func patch(_ size: Int, _ patch: Int? = nil) throws -> Int {
            var settings = BackboneSettings("vit_tiny", width: 4)
            settings.patchSize = patch
            settings.depth = 1
            return try #require(try BackboneRegistry.make(settings, imageSize: size) as? VisionTransformer).patchSize
        }
        #expect(try [patch(32), patch(64), patch(65), patch(224), patch(224, 8)] == [4, 4, 16, 16, 8])
        func message(_ name: String, _ change: (inout BackboneSettings) -> Void) -> String? {
            var settings = BackboneSettings(name)
            change(&settings)
            do { _ = try BackboneRegistry.make(settings, imageSize: 32) } catch { return error.description }
            return nil
        }
        #expect(
            message("resnet18") { $0.patchSize = 4 }
                == "backbone.patchSize is a setting of vision transformers, and resnet18 is none: leave it out, or say backbone.patchSize=null"
        )
        #expect(
            message("vit_tiny") { $0.stem = .small }
                == "backbone.stem is a setting of ResNets, and vit_tiny is none: leave it out, or say backbone.stem=null")
        #expect(message("vit_tiny") { $0.patchSize = 33 } == "backbone.patchSize must be between 1 and the images' side (32), not 33")
        #expect(message("vit_tiny") { $0.dropPath = 1 } == "backbone.dropPath must be at least 0 and below 1, not 1.0")
        #expect(message("vit_tiny") { ($0.positions, $0.width) = (.fixed, 2) }?.contains("multiple of 4, not 6") == true)
        #expect(message("vit_tiny") { $0.patchSize = 5 } == nil)
    }
}

extension Tensor {
    fileprivate func logicalAndNot(_ other: Tensor) -> Tensor { and(other.not) }
}
