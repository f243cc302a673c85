extension FloatImage {
    /// Drops of water, or from severity 4 on splashes of mud.
    func spatter(_ setting: CorruptionTable.Spatter, _ random: inout some CorruptionRandom) -> FloatImage {
        let liquid = FloatImage(
            width: width, height: height, layer: random.normals(width * height, mean: setting.mean, std: setting.std)
        ).gaussian(sigma: setting.sigma).map { $0 < setting.threshold ? 0 : $0 }
        return setting.isMud ? muddied(liquid, setting) : watered(liquid, setting)
    }

    private func muddied(_ liquid: FloatImage, _ setting: CorruptionTable.Spatter) -> FloatImage {
        let mask = liquid.map { $0 > setting.threshold ? 1 : 0 }.gaussian(sigma: setting.strength).map { $0 < 0.8 ? 0 : $0 }
        let brown = [63 / 255.0, 42 / 255.0, 20 / 255.0]
        var result = self
        for place in values.indices {
            let cover = mask.values[place / 3]
            result.values[place] = values[place] * (1 - cover) + brown[place % 3] * cover
        }
        return result
    }

    /// Drops that are brightest at their rims: the distance from their edges, equalised and embossed.
    private func watered(_ liquid: FloatImage, _ setting: CorruptionTable.Spatter) -> FloatImage {
        let drops = liquid.map { Double(UInt8(truncatingIfNeeded: Int($0 * 255))) }
        let edges = CannyEdges(drops, low: 50, high: 150)
        var distance = edges.distances(limit: 20).boxBlurred.map { $0.rounded(.down) }.equalized
        distance = distance.correlated([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]).map { min(max($0, 0), 255) }.boxBlurred
        var mask = drops
        for place in mask.values.indices { mask.values[place] *= distance.values[place] }
        guard let most = mask.values.max(), most > 0 else { return self }
        let turquoise = [175 / 255.0, 238 / 255.0, 238 / 255.0]
        var result = self
        for place in values.indices {
            result.values[place] += mask.values[place / 3] / most * setting.strength * turquoise[place % 3]
        }
        return result
    }

    /// Means of 3 × 3 values, rounded half to even where values are whole levels.
    private var boxBlurred: FloatImage {
        let whole = values.allSatisfy { $0 == $0.rounded() }
        let mean = correlated([[Double]](repeating: [Double](repeating: 1, count: 3), count: 3)).map { $0 / 9 }
        return whole ? mean.map { $0.rounded(.toNearestOrEven) } : mean
    }

    /// Whole levels 0 … 255 spread so that each is equally frequent.
    private var equalized: FloatImage {
        var counts = [Int](repeating: 0, count: 256)
        for value in values { counts[Int(value)] += 1 }
        let lowest = counts.firstIndex { $0 > 0 } ?? 0
        let rest = values.count - counts[lowest]
        guard rest > 0 else { return self }
        var sum = 0
        var levels = [Double](repeating: 0, count: 256)
        for level in lowest + 1..<256 {
            sum += counts[level]
            levels[level] = min(255, (Double(sum) * 255 / Double(rest)).rounded(.toNearestOrEven))
        }
        return map { levels[Int($0)] }
    }
}

/// Edges of whole grey levels (Canny 1986): Sobel gradients, thinned, and followed from the strong ones to the weak ones.
struct CannyEdges {
    let width: Int
    let height: Int
    private(set) var isEdge: [Bool]

    /// - Parameters:
    ///   - low, high: of |∂x| + |∂y| by 3 × 3 Sobel filters.
    init(_ image: FloatImage, low: Double, high: Double) {
        (width, height) = (image.width, image.height)
        let gx = image.correlated([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], .nearest).values
        let gy = image.correlated([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], .nearest).values
        let (width, height) = (self.width, self.height)
        let size = gx.indices.map { abs(gx[$0]) + abs(gy[$0]) }
        func at(_ y: Int, _ x: Int) -> Double { y < 0 || x < 0 || y >= height || x >= width ? 0 : size[y * width + x] }
        var weak = [Bool](repeating: false, count: size.count)
        var stack: [Int] = []
        for y in 0..<height {
            for x in 0..<width {
                let place = y * width + x
                guard size[place] > low else { continue }
                // Only the greatest across the edge stays: tan 22.5° and tan 67.5° divide the directions.
                let (dx, dy) = (abs(gx[place]), abs(gy[place]))
                let greatest: Bool
                if dy < 0.4142135623730950488 * dx {
                    greatest = size[place] > at(y, x - 1) && size[place] >= at(y, x + 1)
                } else if dy > 2.4142135623730950488 * dx {
                    greatest = size[place] > at(y - 1, x) && size[place] >= at(y + 1, x)
                } else {
                    let side = (gx[place] < 0) != (gy[place] < 0) ? -1 : 1
                    greatest = size[place] > at(y - 1, x - side) && size[place] > at(y + 1, x + side)
                }
                guard greatest else { continue }
                weak[place] = true
                if size[place] > high { stack.append(place) }
            }
        }
        isEdge = [Bool](repeating: false, count: size.count)
        for place in stack { isEdge[place] = true }
        while let place = stack.popLast() {
            for dy in -1...1 {
                for dx in -1...1 {
                    let (y, x) = (place / width + dy, place % width + dx)
                    guard y >= 0, x >= 0, y < height, x < width, weak[y * width + x], !isEdge[y * width + x] else { continue }
                    isEdge[y * width + x] = true
                    stack.append(y * width + x)
                }
            }
        }
    }

    /// How far each pixel is from an edge, by steps of 1, 1.4 and 2.1969 (Borgefors 1986), at most `limit`.
    func distances(limit: Double) -> FloatImage {
        let far = 1e6
        var values = isEdge.map { $0 ? 0 : far }
        let steps: [(Int, Int, Double)] = [
            (-2, -1, 2.1969), (-2, 1, 2.1969), (-1, -2, 2.1969), (-1, -1, 1.4), (-1, 0, 1), (-1, 1, 1.4), (-1, 2, 2.1969), (0, -1, 1),
        ]
        func relax(_ places: some Sequence<Int>, _ sign: Int) {
            for place in places {
                for (dy, dx, length) in steps {
                    let (y, x) = (place / width + sign * dy, place % width + sign * dx)
                    guard y >= 0, x >= 0, y < height, x < width else { continue }
                    values[place] = min(values[place], values[y * width + x] + length)
                }
            }
        }
        relax(values.indices, 1)
        relax(values.indices.reversed(), -1)
        return FloatImage(width: width, height: height, layer: values.map { min($0, limit) })
    }
}
