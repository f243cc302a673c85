/// Nearest patches: for some patches of images those of other images whose features are nearest, as Doersch et al. (2015, section 4.1)
/// look at what a network has learnt of parts.
public struct PatchSearch {
    /// The share of an image's area that a patch has.
    public var scale = 0.1...0.2
    /// Patches of each image.
    public var perImage = 4
    /// The side at which patches are seen; the encoder's images' when nil.
    public var side: Int?
    public var seed: UInt64 = 0

    public init() {}

    /// A patch that was looked for, and what was found, nearest first.
    public struct Found: Sendable {
        public struct Patch: Sendable, Equatable {
            /// In the data set.
            public let image: Int
            /// Which of the image's patches.
            public let number: Int
        }

        public let query: Patch
        public let nearest: [Patch]
        /// Cosines of the features.
        public let similarities: [Double]
    }

    private func views(_ encoder: Encoder) throws -> ViewRecipe {
        try ViewRecipe(views: [
            View("patch", size: ImageSize(side ?? encoder.imageSize), [RandomResizedCrop(scale: scale, ratio: 1...1)])
        ])
    }

    /// - Parameters:
    ///   - queries: Patches to look for, spread over the images.
    ///   - count: Patches to find for each, of different images and not of its own.
    /// - Throws: `TrainingError` when no image can be read.
    public func callAsFunction(
        _ encoder: Encoder, _ images: any ImageDataset, queries: Int, count: Int, _ extraction: FeatureExtraction
    ) throws -> [Found] {
        let views = try views(encoder)
        var patches: [Found.Patch] = []
        var rows: [Tensor] = []
        for number in 0..<perImage {
            let found = try extraction(images, views: views, seed: seed &+ UInt64(number)) { encoder($0) }
            patches += found.indices.map { .init(image: $0, number: number) }
            rows.append(found.rows)
        }
        return inference {
            let features = Tensor.concatenated(rows).normalized()
            // Those of the first draw, which are one of each image.
            let firsts = rows[0].size(0)
            let chosen = (0..<min(queries, firsts)).map { $0 * firsts / min(queries, firsts) }
            return chosen.map { query in
                let cosines = features.matmul(features[query].unsqueezed(1)).squeezed(1)
                var found: [(patch: Found.Patch, similarity: Double)] = []
                var seen: Set<Int> = [patches[query].image]
                let (values, indices) = cosines.top(min(patches.count, (count + 1) * perImage))
                for (place, similarity) in zip(indices.values(Int64.self), values.to(.float64).values(Double.self))
                where found.count < count {
                    let patch = patches[Int(place)]
                    if seen.insert(patch.image).inserted { found.append((patch, similarity)) }
                }
                return Found(query: patches[query], nearest: found.map(\.patch), similarities: found.map(\.similarity))
            }
        }
    }

    /// A picture of them: one row for each patch that was looked for.
    /// - Throws: `ImageError` for an image that cannot be read any more.
    public func sheet(_ found: [Found], _ encoder: Encoder, _ images: any ImageDataset, side: Int = 64) throws -> PixelImage {
        let views = try views(encoder)
        func picture(_ patch: Found.Patch) throws -> PixelImage {
            // Drawn as large as the network saw it, then as large as the sheet has it.
            let seen = views.views(
                of: try images.image(at: patch.image, coveringAtLeast: nil), index: patch.image, seed: seed &+ UInt64(patch.number))[0]
            return seen.thumbnail(side)
        }
        let count = found.map(\.nearest.count).max() ?? 0
        let rows = try found.map { one in ContactSheet.Row(pictures: try ([one.query] + one.nearest).map(picture)) }
        let width = min(side, self.side ?? encoder.imageSize)
        return ContactSheet.draw(
            rows, columns: [("patch", width)] + (0..<count).map { ("\($0 + 1)", width) }, cell: width)
    }
}
