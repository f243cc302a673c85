internal import Files

/// What there is to choose from, one line for each.
public struct BackboneEntry: Sendable {
    public let name: String
    public let paper: String
    /// Whose state-dict keys it has.
    public let weightNames: String
    /// Learned values at the published width and with the ImageNet stem, without the layer that makes the classes.
    public let parameterCount: Int
    /// Features at the published width.
    public let outputWidth: Int
    /// With settings that have been checked.
    let make: @Sendable (BackboneSettings, _ imageSize: Int, _ inputs: Int) -> Backbone
    let kind: Kind

    /// What decides which settings there are.
    enum Kind: Equatable {
        case residual, preActivation, transformer
        /// Convolutions in a row, which images may be too small for; `unconnected` without fc6 and fc7 behind the ImageNet stem.
        case plain(leastSize: [ResNet.Stem: Int], unconnected: Int = 0)
    }

    /// Whether it sees an image as patches, of which some can be hidden (``MaskableBackbone``).
    public var hasPatches: Bool { kind == .transformer }

    /// AlexNet or VGG; a perceptron has no size that is too small for it.
    var isConvolutionsInARow: Bool { if case .plain(let least, _) = kind { !least.isEmpty } else { false } }

    var hasChannels: Bool { kind == .residual || isConvolutionsInARow }
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
        resNet("wide_resnet50_2", .bottleneck, [3, 4, 6, 3], bottleneckFactor: 2, parameters: 66_834_240),
        resNet("wide_resnet101_2", .bottleneck, [3, 4, 23, 3], bottleneckFactor: 2, parameters: 124_837_696),
        resNet("skresnet18", .selectiveBasic, [2, 2, 2, 2], parameters: 11_445_056),
        resNet("skresnet50", .selectiveBottleneck, [3, 4, 6, 3], parameters: 23_754_160),
        resNet("skresnet50d", .selectiveBottleneck, [3, 4, 6, 3], isD: true, parameters: 23_773_392),
        resNet("simclrv2_skresnet50", .wholeSelectiveBottleneck, [3, 4, 6, 3], isD: true, parameters: 35_215_584),
        revNet("revnet50", [3, 4, 6, 3], parameters: 5_408_640),
        resNetV2("resnetv2_50", [3, 4, 6, 3], parameters: 23_500_352),
        resNetV2("resnetv2_101", [3, 4, 23, 3], parameters: 42_492_480),
        alexNet("alexnet", .torchvision, "Krizhevsky 2014, arXiv:1404.5997", parameters: 57_003_840),
        alexNet("alexnet_bn", .batchNorm, "Gidaris et al. 2018, arXiv:1803.07728", parameters: 57_014_336),
        alexNet("alexnet_lrn", .original, "Krizhevsky et al. 2012", parameters: 56_868_224),
        perceptron("mlp", parameters: 155_191_296),
        vgg("vgg16", [2, 2, 3, 3, 3], parameters: 134_260_544),
        vgg("vgg16_bn", [2, 2, 3, 3, 3], batchNorm: true, parameters: 134_268_992),
        vgg("vgg19", [2, 2, 4, 4, 4], parameters: 139_570_240),
        vgg("vgg19_bn", [2, 2, 4, 4, 4], batchNorm: true, parameters: 139_581_248),
        visionTransformer("vit_tiny", heads: 3, parameters: 5_524_416),
        visionTransformer("vit_small", heads: 6, parameters: 21_665_664),
        visionTransformer("vit_base", heads: 12, parameters: 85_798_656),
    ]

    private static func resNet(
        _ name: String, _ block: ResNet.Block, _ blocks: [Int], bottleneckFactor: Int = 1, isD: Bool = false, parameters: Int
    ) -> BackboneEntry {
        let paper =
            block == .wholeSelectiveBottleneck
            ? "Chen et al. 2020, arXiv:2006.10029"
            : block.isSelective
                ? "Li et al. 2019, arXiv:1903.06586"
                : bottleneckFactor == 1 ? "He et al. 2016, arXiv:1512.03385" : "Zagoruyko & Komodakis 2016, arXiv:1605.07146"
        return BackboneEntry(
            name: name, paper: paper,
            weightNames: block == .wholeSelectiveBottleneck ? "Fovea" : block.isSelective ? "timm" : "torchvision",
            parameterCount: parameters,
            outputWidth: 512 * block.expansion,
            make: { settings, imageSize, inputs in
                ResNet(
                    block, blocks: blocks, width: settings.width, bottleneckFactor: bottleneckFactor, inputs: inputs,
                    norm: settings.norm ?? .batch, stem: stem(settings, imageSize), isD: isD,
                    zeroInitResidual: settings.zeroInitResidual)
            }, kind: .residual)
    }

    private static func revNet(_ name: String, _ blocks: [Int], parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "Gomez et al. 2017, arXiv:1707.04585", weightNames: "Fovea", parameterCount: parameters, outputWidth: 2048,
            make: { settings, imageSize, _ in RevNet(blocks: blocks, width: settings.width, stem: stem(settings, imageSize)) },
            kind: .preActivation)
    }

    private static func alexNet(_ name: String, _ form: AlexNet, _ paper: String, parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: paper, weightNames: form == .torchvision ? "torchvision" : "Fovea", parameterCount: parameters,
            outputWidth: 4096,
            make: { settings, imageSize, inputs in
                PlainNetwork(
                    form.shape(
                        width: settings.width, stem: stem(settings, imageSize), inputs: inputs,
                        isConnected: isConnected(settings, imageSize)))
            },
            kind: .plain(
                leastSize: [.imagenet: form == .original ? 67 : 63, .small: 7], unconnected: form == .original ? 35 : 31))
    }

    private static func vgg(_ name: String, _ depth: [Int], batchNorm: Bool = false, parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "Simonyan & Zisserman 2015, arXiv:1409.1556", weightNames: "torchvision", parameterCount: parameters,
            outputWidth: 4096,
            make: { settings, imageSize, inputs in
                PlainNetwork(
                    VGG.shape(
                        depth, width: settings.width, batchNorm: batchNorm, inputs: inputs, isConnected: isConnected(settings, imageSize)))
            }, kind: .plain(leastSize: [.imagenet: 32, .small: 16], unconnected: 16))
    }

    private static func perceptron(_ name: String, parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "Vincent et al. 2010, JMLR 11:3371", weightNames: "Fovea", parameterCount: parameters, outputWidth: 1024,
            make: { settings, imageSize, _ in
                PlainNetwork(.init(stages: [], side: imageSize, connectedWidth: 16 * settings.width, connected: .alone))
            }, kind: .plain(leastSize: [:]))
    }

    private static func resNetV2(_ name: String, _ blocks: [Int], parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "Kolesnikov et al. 2020, arXiv:1912.11370", weightNames: "timm", parameterCount: parameters,
            outputWidth: 2048,
            make: { settings, imageSize, _ in ResNetV2(blocks: blocks, width: settings.width, stem: stem(settings, imageSize)) },
            kind: .preActivation)
    }

    private static func visionTransformer(_ name: String, heads: Int, parameters: Int) -> BackboneEntry {
        BackboneEntry(
            name: name, paper: "Dosovitskiy et al. 2021, arXiv:2010.11929", weightNames: "timm", parameterCount: parameters,
            outputWidth: 64 * heads,
            make: { settings, imageSize, _ in
                VisionTransformer(
                    .init(
                        heads: heads, width: settings.width, depth: settings.depth ?? 12, patchSize: patchSize(settings, imageSize),
                        imageSize: imageSize, pooling: settings.pooling ?? .token, positions: settings.positions ?? .learned,
                        freezesProjection: settings.freezesProjection ?? false, dropPath: settings.dropPath ?? 0))
            }, kind: .transformer)
    }

    /// The largest image side for which the small stem, or small patches, are chosen when the settings leave them open.
    public static let smallStemLimit = 64

    private static func stem(_ settings: BackboneSettings, _ imageSize: Int) -> ResNet.Stem {
        settings.stem ?? (imageSize <= smallStemLimit ? .small : .imagenet)
    }

    private static func isConnected(_ settings: BackboneSettings, _ imageSize: Int) -> Bool {
        settings.connected ?? (stem(settings, imageSize) == .imagenet)
    }

    /// Whether it can be divided into networks side by side, each with channels of its own.
    public static func hasChannels(_ settings: BackboneSettings) -> Bool {
        all.contains { $0.name == settings.name && $0.hasChannels }
    }

    /// Whether a backbone's blocks are residual, with or without normalisation first: what settings of ResNets apply to.
    public static func isResNet(_ settings: BackboneSettings) -> Bool {
        all.contains { $0.name == settings.name && $0.kind == .residual }
    }

    private static func patchSize(_ settings: BackboneSettings, _ imageSize: Int) -> Int {
        settings.patchSize ?? (imageSize <= smallStemLimit ? 4 : 16)
    }

    /// The same backbone whatever the images' size: with the stem or the patches said that this side decides on when they are not.
    public static func settled(_ settings: BackboneSettings, imageSize: Int) -> BackboneSettings {
        var settled = settings
        if all.contains(where: { $0.name == settings.name && $0.hasPatches }) {
            settled.patchSize = patchSize(settings, imageSize)
        } else {
            settled.stem = stem(settings, imageSize)
        }
        return settled
    }

    /// Builds a backbone with new weights from libtorch's generator.
    /// - Parameter imageSize: the training images' side, which decides on the stem or patches when the settings don't.
    public static func make(_ settings: BackboneSettings, imageSize: Int) throws(BackboneError) -> Backbone {
        guard let entry = all.first(where: { $0.name == settings.name }) else {
            throw BackboneError(
                description: "no backbone is named '\(settings.name)'" + nearest(settings.name, among: all.map(\.name))
                    + "; `fovea backbones` lists them")
        }
        try check(settings, entry, imageSize)
        guard let channels = settings.channels else { return entry.make(settings, imageSize, 3) }
        if channels.count == 1 { return entry.make(settings, imageSize, channels[0]) }
        var each = settings
        each.width /= channels.count
        return ParallelBackbone(channels.map { entry.make(each, imageSize, $0) }, channels: channels)
    }

    /// - Throws: where a transformer's patches leave a rim of the training images over.
    public static func requireWholePatches(_ settings: BackboneSettings, imageSize: Int) throws(BackboneError) {
        guard all.contains(where: { $0.name == settings.name && $0.hasPatches }), case let patch = patchSize(settings, imageSize),
            patch > 0,
            !imageSize.isMultiple(of: patch)
        else { return }
        throw BackboneError(
            description:
                "data.imageSize must be a multiple of the patches' side (\(patch)), not \(imageSize): change it or backbone.patchSize")
    }

    /// For views, tiles and patches that are smaller than the images.
    /// - Throws: when they are too small for a backbone that is made for images of `imageSize`.
    public static func require(_ settings: BackboneSettings, imageSize: Int, toSee side: Int) throws(BackboneError) {
        guard let entry = all.first(where: { $0.name == settings.name }), let least = leastSize(settings, entry, imageSize), side < least
        else { return }
        throw BackboneError(
            description: "\(entry.name) needs \(least) pixels and more, and some of what it is to see (views, tiles, patches) has \(side): "
                + "raise data.imageSize, or give backbone.stem: small or another backbone")
    }

    /// The smallest images of which a network without shortcuts has something left at its end; nil where any will do.
    private static func leastSize(_ settings: BackboneSettings, _ entry: BackboneEntry, _ imageSize: Int) -> Int? {
        guard case .plain(let least, let unconnected) = entry.kind, let found = least[stem(settings, imageSize)] else { return nil }
        // Nothing is pooled behind conv5 then.
        return stem(settings, imageSize) == .imagenet && !isConnected(settings, imageSize) ? unconnected : found
    }

    private static func check(_ settings: BackboneSettings, _ entry: BackboneEntry, _ imageSize: Int) throws(BackboneError) {
        func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(BackboneError) {
            if !holds { throw BackboneError(description: message()) }
        }
        try require((1...4096).contains(settings.width), "backbone.width must be between 1 and 4096, not \(settings.width)")
        let given: [(name: String, of: String, isGiven: Bool, fits: Bool)] = [
            ("norm", "ResNets", settings.norm != nil, entry.kind == .residual),
            ("channels", "ResNets, AlexNet and VGG", settings.channels != nil, entry.hasChannels),
            ("connected", "AlexNet and VGG", settings.connected != nil, entry.isConvolutionsInARow),
        ]
        for setting in given where setting.isGiven && !setting.fits {
            throw BackboneError(
                description: "backbone.\(setting.name) is a setting of \(setting.of), and \(entry.name) is none: leave it out, or say "
                    + "backbone.\(setting.name)=null")
        }
        try require(
            settings.connected != true || stem(settings, imageSize) == .imagenet,
            "backbone.connected: true needs the imagenet stem, for fc6 and fc7 are made for its maps: say backbone.stem=imagenet, or "
                + "backbone.connected=null")
        if let channels = settings.channels {
            try require(
                channels.allSatisfy { $0 > 0 } && (channels.reduce(0, +) == 3 || channels == [1])
                    && settings.width.isMultiple(of: channels.count),
                "backbone.channels must be positive and sum to 3 (or be [1] for lightness alone), and as many as divide backbone.width "
                    + "(\(settings.width)), not \(channels)")
        }
        if entry.kind != .residual {
            try require(
                !settings.zeroInitResidual,
                "backbone.zeroInitResidual is a setting of ResNets, and \(entry.name) is none: leave it out, or say false")
        }
        let parts = settings.channels?.count ?? 1
        let step = channelStep(entry.name) * parts
        try require(
            settings.width.isMultiple(of: step),
            "backbone.width of \(entry.name)\(parts > 1 ? " in \(parts) networks side by side" : "") must be a multiple of \(step), not "
                + "\(settings.width): half of the channels go each way")
        switch entry.kind {
        case .residual, .preActivation, .plain:
            if let least = leastSize(settings, entry, imageSize) {
                try require(
                    imageSize >= least,
                    "\(entry.name) needs images of \(least) pixels and more, not \(imageSize): "
                        + (least > 16 ? "give backbone.stem: small" : "take another backbone"))
            }
            let given: [(String, Bool)] = [
                ("patchSize", settings.patchSize != nil), ("depth", settings.depth != nil), ("pooling", settings.pooling != nil),
                ("positions", settings.positions != nil), ("freezesProjection", settings.freezesProjection != nil),
                ("dropPath", settings.dropPath != nil),
            ]
            for (name, isGiven) in given {
                try require(
                    !isGiven,
                    "backbone.\(name) is a setting of vision transformers, and \(entry.name) is none: leave it out, or say backbone.\(name)=null"
                )
            }
        case .transformer:
            try require(
                settings.stem == nil,
                "backbone.stem is a setting of ResNets, and \(entry.name) is none: leave it out, or say backbone.stem=null")
            let patch = patchSize(settings, imageSize)
            try require(
                patch >= 1 && patch <= imageSize, "backbone.patchSize must be between 1 and the images' side (\(imageSize)), not \(patch)")
            try require((1...96).contains(settings.depth ?? 1), "backbone.depth must be between 1 and 96, not \(settings.depth ?? 0)")
            try require(
                (0..<1).contains(settings.dropPath ?? 0), "backbone.dropPath must be at least 0 and below 1, not \(settings.dropPath ?? 0)")
            let total = settings.width * entry.outputWidth / 64
            try require(
                settings.positions != .fixed || total % 4 == 0,
                "backbone.positions: fixed needs heads × width to be a multiple of 4, not \(total): change backbone.width")
        }
    }

    /// What the channels of networks with paths or groups must be divisible by, in terms of the width.
    private static func channelStep(_ name: String) -> Int { name.hasPrefix("skresnet") ? 2 : name == "alexnet_lrn" ? 4 : 1 }

    private static func nearest(_ name: String, among names: [String]) -> String {
        Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
    }
}
