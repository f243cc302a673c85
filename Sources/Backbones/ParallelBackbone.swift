public import Torch

/// Backbones side by side, each of which sees its own channels of the image; their features are one after the other.
public final class ParallelBackbone: Backbone {
    let streams: [Backbone]
    private let channels: [Int]

    /// - Parameters:
    ///   - streams: of one kind.
    ///   - channels: of the image, for each.
    init(_ streams: [Backbone], channels: [Int]) {
        self.streams = streams
        self.channels = channels
    }

    public override var outputWidth: Int { streams.reduce(0) { $0 + $1.outputWidth } }
    public override var layerNames: [String] { streams[0].layerNames }
    public override var attributionLayer: String? { streams[0].attributionLayer }
    public override var depthCount: Int { streams[0].depthCount }

    public override func depth(ofParameter key: String) -> Int {
        // Behind `streams.N.`
        streams[0].depth(ofParameter: key.split(separator: ".").dropFirst(2).joined(separator: "."))
    }

    private func parts(_ x: Tensor) -> [Tensor] {
        var first = 0
        return channels.map { count in
            defer { first += count }
            return x.narrowed(1, from: first, count: count).contiguous(.channelsLast)
        }
    }

    public override func callAsFunction(_ x: Tensor) -> Tensor {
        .concatenated(zip(streams, parts(x)).map { $0($1) }, dimension: 1)
    }

    public override func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] {
        let found = zip(streams, parts(x)).map { $0.features($1, at: layers) }
        return Dictionary(uniqueKeysWithValues: layers.map { layer in (layer, .concatenated(found.map { $0[layer]! }, dimension: 1)) })
    }
}
