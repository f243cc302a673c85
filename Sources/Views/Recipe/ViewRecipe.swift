/// A list of views of one image: what contrastive, clustering and self-distilling methods learn from.
///
/// In YAML:
///
///     views:
///       - name: view
///         size: 224
///         copies: 2
///         augmentations:
///           - randomResizedCrop: {scale: [0.08, 1]}
///           - horizontalFlip
///           - colorJitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}
public struct ViewRecipe: ViewMaker, Codable, Equatable {
    public let views: [View]
    public private(set) var outputs: [OutputSpec]
    public let decodeTarget: Int?
    private let groups: [Group]

    /// The name of the output that `locating()` adds.
    public static let regions = "regions"

    /// The same views, and beside them where each lies in the image: top, left, bottom and right, in shares of its sides (`Region`).
    public func locating() -> ViewRecipe {
        var copy = self
        copy.outputs.append(OutputSpec(name: Self.regions, element: .float32, shape: [outputs.count, 4]))
        return copy
    }

    /// Throws for settings that make no sense, and for views that do not end at their size.
    public init(views: [View]) throws(AugmentationError) {
        let check = Check(augmentation: "views")
        try check.holds(!views.isEmpty, "there are none; a recipe needs at least one")
        for view in views { try view.validate() }
        let single = views.flatMap { view in
            (0..<view.copies).map { copy in
                var one = view
                one.copies = 1
                if view.copies > 1 { one.name += "\(copy)" }
                return one
            }
        }
        for (place, view) in single.enumerated() where single[..<place].contains(where: { $0.name == view.name }) {
            throw AugmentationError("views", "two are called '\(view.name)'")
        }
        self.views = views
        outputs = single.map { OutputSpec.image($0.name, $0.size) }
        let targets = single.map(\.decodeTarget)
        decodeTarget = targets.contains(nil) ? nil : targets.compactMap { $0 }.max()
        groups = Self.groups(single)
    }

    public func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch
    ) {
        let canvas = scratch.canvas
        let places = self.outputs.last?.name == Self.regions ? outputs.floats(self.outputs.count - 1) : nil
        for group in groups {
            let key = key.view(stream: group.stream)
            for (place, member) in group.members.enumerated() {
                if place == 0 || group.common.isEmpty {
                    canvas.load(image, target: member.size)
                    canvas.apply(group.common, key: key)
                    if place == 0, group.members.count > 1, !group.common.isEmpty { canvas.keep() }
                } else {
                    canvas.restore(target: member.size)
                }
                canvas.apply(member.rest, key: key, first: group.common.count)
                canvas.write(to: outputs.pixels(member.output))
                if let places {
                    let region = canvas.region
                    for (i, edge) in [region.top, region.left, region.bottom, region.right].enumerated() {
                        places[4 * member.output + i] = Float(edge)
                    }
                }
            }
        }
    }

    public static func == (a: ViewRecipe, b: ViewRecipe) -> Bool { a.views == b.views }

    // MARK: Coding

    private enum CodingKeys: String, CodingKey, CaseIterable { case views }

    public init(from decoder: any Decoder) throws {
        var views: [View] = []
        try SettingsReader(decoder, "view recipe", CodingKeys.self).read(.views, &views)
        do {
            try self.init(views: views)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(error)", underlyingError: error))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(views, forKey: .views)
    }

    // MARK: Plan

    /// The views of one stream. What they have in common at their beginning is done once.
    private struct Group: Sendable {
        struct Member: Sendable {
            let output: Int
            let size: ImageSize
            let rest: [Augmentation]
        }

        let stream: Int
        let common: [Augmentation]
        let members: [Member]
    }

    private static func groups(_ views: [View]) -> [Group] {
        let streams = views.enumerated().map { $1.stream ?? $0 }
        let distinct = streams.enumerated().filter { !streams[..<$0].contains($1) }.map { $1 }
        return distinct.map { stream in
            let members = views.indices.filter { streams[$0] == stream }
            let first = views[members[0]]
            var common = first.augmentations.count
            for view in members.map({ views[$0] }) {
                let same = zip(first.augmentations, view.augmentations).prefix { $0 == $1 }.count
                common = view.size == first.size ? min(common, same) : 0
            }
            return Group(
                stream: stream, common: Array(first.augmentations.prefix(common)),
                members: members.map {
                    .init(output: $0, size: views[$0].size, rest: Array(views[$0].augmentations.dropFirst(common)))
                })
        }
    }
}

extension ViewRecipe {
    /// The views of one image, as the loader makes them in epoch 0.
    /// - Parameter index: the image's place in its data set.
    public func views(of image: PixelImage, index: Int, seed: UInt64) -> [PixelImage] {
        let memory = BatchMemory(outputs, capacity: 1)
        var scratch = Scratch()
        make(image, key: SampleKey(seed: seed, epoch: 0, index: index), partners: NoPartners(), into: memory.sample(0), scratch: &scratch)
        return outputs.indices.compactMap { output in
            outputs[output].imageSize.map {
                PixelImage(width: $0.width, height: $0.height, pixels: [UInt8](memory.sample(0).bytes(output)))
            }
        }
    }
}
