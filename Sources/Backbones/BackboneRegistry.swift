internal import Files

/// What there is to choose from, one line for each.
public struct BackboneEntry: Sendable {
    public let name: String
    public let paper: String
    /// Whose state-dict keys it has.
    public let weightNames: String
    /// Learned values at the published width and with the ImageNet stem, without a classifier.
    public let parameterCount: Int
    /// Features at the published width.
    public let outputWidth: Int
    let make: @Sendable (BackboneSettings, _ inputs: Int, _ stem: ResNet.Stem) -> Backbone
}

/// A backbone that cannot be built as asked.
public struct BackboneError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
}

public enum BackboneRegistry {
    public static let all: [BackboneEntry] = [
        resNet("resnet18", .basic, [2, 2, 2, 2], parameters: 11_176_512),
        resNet("resnet34", .basic, [3, 4, 6, 3], parameters: 21_284_672),
        resNet("resnet50", .bottleneck, [3, 4, 6, 3], parameters: 23_508_032),
        resNet("resnet101", .bottleneck, [3, 4, 23, 3], parameters: 42_500_160),
        resNet("resnet152", .bottleneck, [3, 8, 36, 3], parameters: 58_143_808),
    ]

    private static func resNet(_ name: String, _ block: ResNet.Block, _ blocks: [Int], parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "He et al. 2016, arXiv:1512.03385", weightNames: "torchvision", parameterCount: parameters,
            outputWidth: 512 * block.expansion
        ) { settings, inputs, stem in
            ResNet(
                block, blocks: blocks, width: settings.width, inputs: inputs, norm: settings.norm ?? .batch, stem: stem,
                zeroInitResidual: settings.zeroInitResidual)
        }
    }

    /// The largest image side for which the small stem is chosen when the settings leave it open.
    public static let smallStemLimit = 64

    /// The first layer that images of this side get when the settings leave it open.
    public static func stem(imageSize: Int) -> ResNet.Stem { imageSize <= smallStemLimit ? .small : .imagenet }

    /// Builds a backbone with new weights from libtorch's generator.
    /// - Parameter imageSize: the training images' side, which decides on the stem when the settings don't.
    public static func make(_ settings: BackboneSettings, imageSize: Int) throws(BackboneError) -> Backbone {
        guard let entry = all.first(where: { $0.name == settings.name }) else {
            throw BackboneError(
                description: "no backbone is named '\(settings.name)'" + nearest(settings.name, among: all.map(\.name))
                    + "; `fovea backbones` lists them")
        }
        guard (1...4096).contains(settings.width) else {
            throw BackboneError(description: "backbone.width must be between 1 and 4096, not \(settings.width)")
        }
        let stem = settings.stem ?? stem(imageSize: imageSize)
        guard let channels = settings.channels else { return entry.make(settings, 3, stem) }
        guard channels.reduce(0, +) == 3, channels.allSatisfy({ $0 > 0 }), settings.width.isMultiple(of: channels.count) else {
            throw BackboneError(
                description: "backbone.channels must be positive and sum to 3, and as many as divide backbone.width (\(settings.width)), "
                    + "not \(channels)")
        }
        var each = settings
        each.width /= channels.count
        return ParallelBackbone(channels.map { entry.make(each, $0, stem) }, channels: channels)
    }

    private static func nearest(_ name: String, among names: [String]) -> String {
        Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
    }
}
