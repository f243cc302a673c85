internal import Backbones
internal import Torch

/// What methods with local features read of a backbone.
extension Encoder {
    /// Channels of named layers' maps.
    /// - Throws: `SettingsError` for a layer that the backbone has not.
    func mapWidths(at levels: [String]) throws -> [Int] {
        let names = backbone.layerNames
        for level in levels where !names.contains(level) {
            throw SettingsError(
                "method.levels names '\(level)', which backbone \(settings.name) has not: choose among \(names.joined(separator: ", "))")
        }
        let pixels = Tensor.zeros([1, 3, imageSize, imageSize], .uint8)
        return evaluating { inference { maps(pixels, at: levels).map { $0.size(1) } } }
    }

    /// The maps of named layers: pixels [n, 3, h, w] to [n, c, h′, w′] each.
    func maps(_ pixels: Tensor, at levels: [String]) -> [Tensor] {
        let found = backbone.features(input(pixels), at: Set(levels))
        return levels.map { found[$0]! }
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
