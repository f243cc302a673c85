import Embeddings
import Views

/// Images of plain hues with given labels: what is tested is what protocols make of the labels.
struct Labelled: ImageDataset {
    let labels: [Int?]
    var classNames: [String]
    var grey = false
    var stream = 0
    /// Width and height, in turn.
    var sides = [(16, 16)]
    /// How much darker single pixels can be.
    var noise = 0.2

    var count: Int { labels.count }
    func label(at index: Int) -> Int? { labels[index] }
    func name(at index: Int) -> String { "\(index).png" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        var random = ViewKey(seed: 4, epoch: 0, index: index, stream: stream).random()
        let level = Double((labels[index] ?? 0) + 1) / Double(classNames.count + 1)
        let (width, height) = sides[index % sides.count]
        let pixels = (0..<width * height).flatMap { place -> [UInt8] in
            let light = 1 - noise + noise * random.uniform()
            // Cosine does not see how bright an image is as a whole: grey ones have a bright half.
            let shade = 2 * (place % width) < width ? level : 1 - level
            let colour = grey ? [shade, shade, shade] : [level, 1 - level, 0.5]
            return colour.map { UInt8(255 * $0 * light) }
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }

    static func cycling(_ count: Int, _ classes: Int, stream: Int = 0) -> Labelled {
        Labelled(labels: (0..<count).map { $0 % classes }, classNames: (0..<classes).map { "class \($0)" }, stream: stream)
    }
}
