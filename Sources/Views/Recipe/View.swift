/// One view, or several `copies` that differ in their random numbers only: a list of augmentations that ends at a size.
public struct View: Sendable, Codable, Equatable {
    public var name: String
    public var size: ImageSize
    /// How many outputs this stands for; more than one are numbered: `view0`, `view1`.
    public var copies: Int
    /// Views of one stream see the same random numbers, augmentation by augmentation; nil for a stream of its own, the
    /// view's place among the outputs.
    public var stream: Int?
    public var augmentations: [Augmentation]

    public init(_ name: String, size: ImageSize, copies: Int = 1, stream: Int? = nil, _ augmentations: [any AugmentationStep]) {
        self.name = name
        self.size = size
        self.copies = copies
        self.stream = stream
        self.augmentations = augmentations.map(Augmentation.init)
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case name, size, copies, stream, augmentations }

    public init(from decoder: any Decoder) throws {
        let settings = try SettingsReader(decoder, "view", CodingKeys.self)
        self.init("view", size: 0, [])
        for key in [CodingKeys.size, .augmentations] where !settings.has(key) {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "view: '\(key.rawValue)' is missing"))
        }
        try settings.read(.name, &name)
        try settings.read(.size, &size)
        try settings.read(.copies, &copies)
        try settings.read(.stream, &stream)
        try settings.read(.augmentations, &augmentations)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(size, forKey: .size)
        if copies != 1 { try container.encode(copies, forKey: .copies) }
        try container.encodeIfPresent(stream, forKey: .stream)
        try container.encode(augmentations, forKey: .augmentations)
    }

    /// Throws for settings that make no sense, and if the augmentations do not end at `size` for every image.
    func validate() throws(AugmentationError) {
        let check = Check(augmentation: "view '\(name)'")
        try check.positive(size)
        try check.holds(copies >= 1, "copies is \(copies), but must be at least 1")
        try check.holds(stream.map { $0 >= 0 } ?? true, "stream cannot be negative")
        for augmentation in augmentations { try augmentation.step.validate() }
        for (height, width) in [(375, 500), (500, 375), (size.height, size.width), (32, 32), (1, 1), (61, 7), (3000, 4000)] {
            let image = ImageSize(height: height, width: width)
            var present: ImageSize? = image
            for augmentation in augmentations { present = present.flatMap { augmentation.step.size(after: $0, target: size) } }
            let end = present.map { "\($0)" } ?? "a random size"
            try check.holds(
                present == size,
                "an image of \(image) ends at \(end) instead of \(size): it needs a randomResizedCrop, a centerCrop or a resize")
        }
    }

    /// The shorter side that an image needs for this view to lose nothing by decoding at a fraction of the size.
    var decodeTarget: Int? {
        for augmentation in augmentations {
            switch augmentation.step {
            case is HorizontalFlip: continue
            case let crop as RandomResizedCrop:
                // The smallest crop of a square image has sides of √(scale / ratio).
                let size = crop.size ?? self.size
                let ratio = max(crop.ratio.upperBound, 1 / crop.ratio.lowerBound)
                return Int((Double(max(size.height, size.width)) * (ratio / crop.scale.lowerBound).squareRoot()).rounded(.up))
            // Twice as much as is needed, so that antialiasing still has something to do.
            case let resize as Resize: return 2 * (resize.shorter ?? max((resize.size ?? size).height, (resize.size ?? size).width))
            default: return nil
            }
        }
        return nil
    }
}
