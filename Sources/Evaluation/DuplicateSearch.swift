public import Backbones
internal import Embeddings
internal import Torch
public import Training
public import Views

/// Near-duplicates among images: found by the encoder's cosine, decided by the normalised correlation of their pixels.
public struct DuplicateSearch {
    /// The correlation from which two images are near-duplicates.
    public var correlation = 0.95
    /// The cosine that the encoder must see between them.
    public var similarity = 0.9
    /// Of each image.
    public var neighbours = 5
    public var cache: FeatureCache?
    /// Told the images of each pass that could not be read.
    public var unreadable: ([UnreadableLog.Entry]) -> Void = { _ in }

    public init() {}

    public struct Match: Sendable, Equatable {
        public var first: String
        public var second: String
        /// Class names, where there are any.
        public var labels: [String?]
        public var correlation: Double
        public var similarity: Double
    }

    public struct Outcome: Sendable {
        /// The most alike first.
        public var matches: [Match]
        /// Names of images that belong together; of two sets each pair is a group.
        public var groups: [[String]]
        public var images: Int
        public var unreadable: [String]
    }

    /// The side of the pictures that are correlated.
    private static let side = 32

    /// - Parameter others: nil to look among the images themselves; otherwise for images that are also in `others`, such as test images
    ///   in a training split.
    /// - Throws: `FeatureError`, `TrainingError`.
    public func callAsFunction(
        _ encoder: Encoder, _ images: any ImageDataset, in others: (any ImageDataset)? = nil, _ extraction: FeatureExtraction
    ) throws -> Outcome {
        let data = EvaluationData(train: images, test: others, extraction: extraction, seed: 0, cache: cache, unreadable: unreadable)
        let splits = try data.splits(of: .encoder(encoder, name: ""))
        let (own, bank) = (splits.train, splits.test ?? splits.train)
        let pairs = try NearDuplicates.candidates(
            of: own.matrix, in: splits.test?.matrix, neighbours: neighbours, least: similarity)
        var known: [[Int: [Double]?]] = [[:], [:]]
        func pixels(_ part: Int, _ row: Int, _ images: SubsetDataset) -> [Double]? {
            if let found = known[part][row] { return found }
            let found = (try? images.image(at: row, coveringAtLeast: Self.side)).map { Self.grey($0) }
            known[part][row] = .some(found)
            return found
        }
        var kept: [NearDuplicates.Pair] = []
        var matches: [Match] = []
        for pair in pairs {
            guard let a = pixels(0, pair.first, splits.trainImages),
                let b = pixels(splits.test == nil ? 0 : 1, pair.second, splits.testImages ?? splits.trainImages)
            else { continue }
            let found = NearDuplicates.correlation(a, b)
            guard found >= correlation else { continue }
            kept.append(pair)
            func label(_ features: Features, _ row: Int) -> String? {
                features.labels[row] >= 0 ? features.classNames[features.labels[row]] : nil
            }
            matches.append(
                Match(
                    first: own.names[pair.first], second: bank.names[pair.second],
                    labels: [label(own, pair.first), label(bank, pair.second)], correlation: found, similarity: pair.correlation))
        }
        matches.sort { ($1.correlation, $0.first, $0.second) < ($0.correlation, $1.first, $1.second) }
        let groups =
            others == nil
            ? NearDuplicates.groups(kept).map { $0.map { own.names[$0] } } : matches.map { [$0.first, $0.second] }
        return Outcome(matches: matches, groups: groups, images: own.count, unreadable: splits.unreadable)
    }

    /// Luminance of the whole picture, stretched to a square.
    private static func grey(_ image: PixelImage) -> [Double] {
        let (width, height) = (image.width, image.height)
        return (0..<side * side).map { place in
            // The mean over the pixels that fall into the cell, at least one.
            let (x, y) = (place % side, place / side)
            let columns = (x * width / side)..<max(x * width / side + 1, (x + 1) * width / side)
            let rows = (y * height / side)..<max(y * height / side + 1, (y + 1) * height / side)
            var sum = 0.0
            for row in rows {
                for column in columns {
                    let start = (row * width + column) * PixelImage.channels
                    let (r, g, b) = (image.pixels[start], image.pixels[start + 1], image.pixels[start + 2])
                    sum += 0.299 * Double(r) + 0.587 * Double(g) + 0.114 * Double(b)
                }
            }
            return sum / Double(rows.count * columns.count)
        }
    }
}
