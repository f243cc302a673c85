/// Which way the blocks of one frame have moved in another, found by comparing pixels: exact, and the same on every machine.
///
/// A block's place in the other frame is where the sum of absolute differences over its pixels and channels is least among all shifts of
/// up to `reach` pixels that stay inside; of equals the shortest, which also wins over what is not better by `margin` levels a value.
/// The direction is one of eight, each of 45° (Wang et al. 2019, section 3.2, which takes it from optical flow).
public struct BlockMotion: Sendable, Equatable {
    /// Names of the values: 0 for what stands still, then directions clockwise from the right.
    public static let names = ["still", "right", "right down", "down", "left down", "left", "left up", "up", "right up"]
    private static let short = ["o", "E", "SE", "S", "SW", "W", "NW", "N", "NE"]

    /// Blocks of a side.
    public let grid: Int
    /// Pixels.
    public let reach: Int
    /// Levels of 255, as a mean over the values of a block.
    public let margin: Int

    public init(grid: Int, reach: Int, margin: Int = 1) {
        self.grid = grid
        self.reach = reach
        self.margin = margin
    }

    func name(of value: Int) -> String { Self.short[value] }

    func validate(_ size: ImageSize) throws(AugmentationError) {
        let check = Check(augmentation: "motion")
        try check.holds(grid >= 1 && grid <= min(size.height, size.width), "a grid of \(grid) does not fit an image of \(size)")
        try check.holds(reach >= 1, "reach is \(reach), but must be at least 1")
        try check.holds(margin >= 0, "margin is \(margin), but cannot be negative")
    }

    /// - Parameters:
    ///   - first: height × width × 3 bytes, as `second`.
    ///   - values: grid × grid in reading order.
    func write(
        from first: UnsafePointer<UInt8>, to second: UnsafePointer<UInt8>, _ size: ImageSize, into values: UnsafeMutableBufferPointer<Int64>
    ) {
        let (height, width) = (size.height / grid, size.width / grid)
        let shifts = self.shifts
        for block in 0..<grid * grid {
            let box = PixelBox(x: block % grid * width, y: block / grid * height, width: width, height: height)
            var best = (shift: (x: 0, y: 0), sum: Int.max)
            for shift in shifts {
                let (x, y) = (box.x + shift.x, box.y + shift.y)
                guard x >= 0, y >= 0, x + width <= size.width, y + height <= size.height else { continue }
                let sum = Self.difference(first, second, size, box, x: x, y: y, limit: best.sum)
                if sum < best.sum { best = (shift, sum) }
                // The first is no shift at all.
                if shift.x == 0, shift.y == 0 { best.sum = max(0, best.sum - margin * width * height * 3) }
            }
            values[block] = Int64(Self.direction(best.shift.x, best.shift.y))
        }
    }

    /// The shortest first, of equally long ones in reading order.
    private var shifts: [(x: Int, y: Int)] {
        var all: [(x: Int, y: Int)] = []
        for y in -reach...reach { for x in -reach...reach { all.append((x, y)) } }
        let order = all.indices.sorted { a, b in
            let (left, right) = (all[a].x * all[a].x + all[a].y * all[a].y, all[b].x * all[b].x + all[b].y * all[b].y)
            return left == right ? a < b : left < right
        }
        return order.map { all[$0] }
    }

    private static func difference(
        _ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>, _ size: ImageSize, _ box: PixelBox, x: Int, y: Int, limit: Int
    ) -> Int {
        var sum = 0
        for row in 0..<box.height {
            let from = first + ((box.y + row) * size.width + box.x) * 3
            let to = second + ((y + row) * size.width + x) * 3
            for place in 0..<box.width * 3 { sum += abs(Int(from[place]) - Int(to[place])) }
            if sum >= limit { return sum }
        }
        return sum
    }

    /// 0 for none, else 1 … 8 from the right over the bottom. Sectors are bounded by tan 22.5° = √2 − 1, here 408/985.
    static func direction(_ x: Int, _ y: Int) -> Int {
        if x == 0, y == 0 { return 0 }
        let isLevel = 985 * abs(y) <= 408 * abs(x)
        let isUpright = 985 * abs(x) <= 408 * abs(y)
        if isLevel { return x > 0 ? 1 : 5 }
        if isUpright { return y > 0 ? 3 : 7 }
        return x > 0 ? (y > 0 ? 2 : 8) : (y > 0 ? 4 : 6)
    }
}
