/// An image of one or three channels in float64, which corruptions are computed in; 0 … 1 unless said otherwise.
///
/// Interleaved, row by row from the top left, as `PixelImage` is.
struct FloatImage: Equatable {
    let width: Int
    let height: Int
    let channels: Int
    var values: [Double]

    init(width: Int, height: Int, channels: Int, values: [Double]) {
        precondition(values.count == width * height * channels, "values do not fill the image")
        self.width = width
        self.height = height
        self.channels = channels
        self.values = values
    }

    /// 0 … 1.
    init(_ image: PixelImage) {
        self.init(width: image.width, height: image.height, channels: PixelImage.channels, values: image.pixels.map { Double($0) / 255 })
    }

    /// One channel.
    init(width: Int, height: Int, layer: [Double]) { self.init(width: width, height: height, channels: 1, values: layer) }

    /// 8-bit RGB: out of range is clamped, fractions are cut off as the published images' were.
    var pixels: PixelImage {
        PixelImage(width: width, height: height, pixels: values.map { UInt8(min(max($0, 0), 1) * 255) })
    }

    func map(_ body: (Double) -> Double) -> FloatImage {
        var result = self
        for place in result.values.indices { result.values[place] = body(result.values[place]) }
        return result
    }

    /// The image with each row's and column's place taken from elsewhere: `rows[y]`, `columns[x]`.
    func picked(rows: [Int], columns: [Int]) -> FloatImage {
        var result = [Double]()
        result.reserveCapacity(rows.count * columns.count * channels)
        for y in rows {
            for x in columns {
                let start = (y * width + x) * channels
                for channel in 0..<channels { result.append(values[start + channel]) }
            }
        }
        return FloatImage(width: columns.count, height: rows.count, channels: channels, values: result)
    }
}

/// What lies beyond an image's edge.
enum Border {
    /// a a | a b c | c c
    case nearest
    /// b a | a b c | c b: the edge twice.
    case reflect
    /// c b | a b c | b a: the edge once.
    case mirror

    /// The place inside `0 ..< count` that stands for `place`.
    func callAsFunction(_ place: Int, _ count: Int) -> Int {
        switch self {
        case .nearest: return min(max(place, 0), count - 1)
        case .reflect:
            let period = 2 * count
            let folded = ((place % period) + period) % period
            return folded < count ? folded : period - 1 - folded
        case .mirror:
            if count == 1 { return 0 }
            let period = 2 * count - 2
            let folded = ((place % period) + period) % period
            return folded < count ? folded : period - folded
        }
    }
}
