import Foundation
import Testing

/// Settings of a method with the heads, queues and banks of a tiny network, by the names that methods give them.
public func tiny<Settings: Codable>(_ settings: Settings) throws -> Settings {
    let small: [String: Any] = [
        "hiddenWidth": 16, "outputWidth": 8, "predictorWidth": 8, "bottleneckWidth": 8, "prototypes": 12, "queueLength": 24,
        "negatives": 20, "whiteningSize": 16, "whiteningGroup": 4, "smallViews": 2, "directions": 10,
        "clusters": 12, "neighbours": 20, "groups": 12, "instanceEpochs": 1, "regroupEvery": 2, "words": 24,
        "localWidth": 8, "matches": 3, "contextWidth": 6, "contextBlocks": 2, "heads": 2, "transformerLayers": 2,
        "decoderWidth": 16, "decoderDepth": 1, "decoderHeads": 2, "predictorDepth": 1, "predictorHeads": 2, "targetBlocks": 2,
        "cellSize": 4,
        "tileWidth": 8, "decodedSide": 4,
    ]
    return try with(settings, small)
}

/// Settings with other values under the names that they have among these.
public func with<Settings: Codable>(_ settings: Settings, _ values: [String: Any]) throws -> Settings {
    var object = try #require(JSONSerialization.jsonObject(with: JSONEncoder().encode(settings)) as? [String: Any])
    for (key, value) in values where object[key] != nil { object[key] = value }
    return try JSONDecoder().decode(Settings.self, from: JSONSerialization.data(withJSONObject: object))
}
