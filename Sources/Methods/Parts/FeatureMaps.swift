internal import Backbones
internal import Torch

/// What methods with local features read of a backbone.
extension Encoder {
    /// Channels of named layers' maps.
    /// - Throws: `SettingsError` for a layer that the backbone has not.
    func mapWidths(at levels: [String], _ setting: String = "levels") throws -> [Int] {
        let names = backbone.layerNames
        for level in levels where !names.contains(level) {
            throw SettingsError(
                "method.\(setting) names '\(level)', which backbone \(settings.name) has not: choose among \(names.joined(separator: ", "))"
            )
        }
        let pixels = Tensor.zeros([1, 3, imageSize, imageSize], .uint8)
        return evaluating { inference { maps(pixels, at: levels).map { $0.size(1) } } }
    }

    /// The maps of named layers: pixels [n, 3, h, w] to [n, c, h′, w′] each.
    func maps(_ pixels: Tensor, at levels: [String]) -> [Tensor] {
        let found = backbone.features(input(pixels), at: Set(levels))
        return levels.map { found[$0]! }
    }

    /// The last layer's maps, [n, c, s, s], of which the representation is the mean.
    func lastMaps(_ pixels: Tensor) -> Tensor { lastMaps(of: input(pixels)) }

    /// The same of what the backbone is to see.
    func lastMaps(of x: Tensor) -> Tensor {
        let last = backbone.layerNames[backbone.layerNames.count - 1]
        return backbone.features(x, at: [last])[last]!
    }

    /// Channels and side of those.
    /// - Throws: `SettingsError` for a backbone without maps.
    func lastMapShape() throws -> (channels: Int, side: Int) {
        let pixels = Tensor.zeros([1, 3, imageSize, imageSize], .uint8)
        let shape = evaluating { inference { lastMaps(pixels).shape } }
        guard shape.count == 4 else {
            let isConnected = backbone.layerNames.contains("conv5")
            throw SettingsError(
                isConnected
                    ? "backbone.connected: the method decodes maps, and fc7 of \(settings.name) is none; say backbone.connected=false, so "
                        + "that it ends with conv5"
                    : "backbone.name: the method decodes maps, which \(settings.name) does not have; take a ResNet")
        }
        return (shape[1], shape[2])
    }

    /// h and the maps of named layers in one pass.
    func withMaps(_ pixels: Tensor, at levels: [String]) -> (h: Tensor, maps: [Tensor]) {
        let last = backbone.layerNames[backbone.layerNames.count - 1]
        let all = maps(pixels, at: levels + [last])
        // Fully connected layers have no maps.
        let h = all[levels.count]
        return (h.rank == 2 ? h : h.globalAveragePool(), Array(all.dropLast()))
    }
}
