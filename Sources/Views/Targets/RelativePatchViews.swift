/// A patch and neighbours of it from the 3 × 3 grid around, and which neighbours they are (Doersch et al. 2015, section 3.1).
///
/// The image gets a random area, so that the grid lies at several scales. Between patches there is a gap, and each patch is moved by
/// a few pixels of its own: neither edges that go on nor lines that meet tell the place. Outputs: `centre`, `neighbour0` …, and
/// `position`, [neighbours] of 0 … 7 in reading order of the grid without its centre.
public struct RelativePatchViews: ViewMaker {
    /// Sides, distances and areas in pixels.
    public struct Geometry: Sendable, Equatable {
        public var patch: Int
        public var gap: Int
        public var jitter: Int
        public var areas: ClosedRange<Int>

        public init(patch: Int, gap: Int, jitter: Int, areas: ClosedRange<Int>) {
            self.patch = patch
            self.gap = gap
            self.jitter = jitter
            self.areas = areas
        }
    }

    public static let positionNames = ["above left", "above", "above right", "left", "right", "below left", "below", "below right"]
    /// Rows and columns from the centre.
    static let steps = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
    static let position = "position"

    public let outputs: [OutputSpec]
    public let geometry: Geometry
    public let neighbours: Int
    public let dropsColours: Bool
    public let pixelation: Double
    /// What becomes of an image before patches are cut from it; nothing when nil.
    public let before: View?

    /// - Parameters:
    ///   - neighbours: 1 … 8, all different.
    ///   - dropsColours: of each patch two of three channels.
    ///   - pixelation: the probability that a patch is made smaller, to as little as 100 of 96² pixels, and large again.
    public init(
        _ geometry: Geometry, neighbours: Int = 1, dropsColours: Bool = true, pixelation: Double = 0, before: View? = nil
    ) throws(AugmentationError) {
        let check = Check(augmentation: "relative patches")
        try check.holds(geometry.patch >= 2, "the patch is \(geometry.patch) pixels wide, but must be 2 or more")
        try check.holds(geometry.gap >= 0 && geometry.jitter >= 0, "gap and jitter cannot be negative")
        try check.holds(geometry.areas.lowerBound > 0, "the least area is \(geometry.areas.lowerBound), but must be above 0")
        try check.holds((1...8).contains(neighbours), "there are 1 to 8 neighbours, not \(neighbours)")
        try check.probability(pixelation, "pixelation")
        try before?.validate()
        self.geometry = geometry
        self.neighbours = neighbours
        self.dropsColours = dropsColours
        self.pixelation = pixelation
        self.before = before
        let side = ImageSize(geometry.patch)
        outputs =
            [.image("centre", side)] + (0..<neighbours).map { .image("neighbour\($0)", side) }
            + [OutputSpec(name: Self.position, element: .int64, shape: [neighbours])]
    }

    /// Twice what is needed of a square image, so that antialiasing still has something to do.
    public var decodeTarget: Int? {
        before == nil ? Int((2 * Double(geometry.areas.upperBound).squareRoot()).rounded(.up)) : before?.decodeTarget
    }

    public func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch
    ) {
        let canvas = scratch.canvas
        canvas.load(image, target: before?.size ?? ImageSize(geometry.patch))
        canvas.apply(before?.augmentations ?? [], key: key.view(stream: 0))
        let plan = Plan(self, canvas.size, key.view(stream: 1))
        if plan.size != canvas.size { canvas.resize(to: plan.size, .bicubic, antialias: true) }
        for (output, box) in plan.boxes.enumerated() { canvas.write(box, to: outputs.pixels(output)) }
        for (place, position) in plan.positions.enumerated() { outputs.integers(neighbours + 1)[place] = Int64(position) }
        for output in plan.boxes.indices {
            var random = key.view(stream: 2).random(step: output)
            let patch = PatchPixels(pixels: outputs.pixels(output), side: geometry.patch)
            let pixelates = random.bernoulli(pixelation)
            let share = random.uniform(in: 10.0 / 96...1)
            if pixelates { patch.pixelate(to: max(1, Int((Double(geometry.patch) * share).rounded())), canvas) }
            if dropsColours { patch.dropColours(keeping: random.integer(below: 3), &random) }
        }
    }

    /// Where the patches are cut, and from an image of what size.
    struct Plan {
        var size: ImageSize
        /// The centre, then neighbours.
        var boxes: [PixelBox]
        var positions: [Int]

        init(_ views: RelativePatchViews, _ image: ImageSize, _ key: ViewKey) {
            let g = views.geometry
            var random = key.random()
            let area = random.uniform(in: Double(g.areas.lowerBound)...Double(g.areas.upperBound))
            let chosen = Array(random.permutation(8).prefix(views.neighbours))
            positions = chosen
            let places = [(0, 0)] + chosen.map { RelativePatchViews.steps[$0] }
            // From the centre's corner to the outermost corners, jitter included.
            let step = g.patch + g.gap
            let up = -step * (places.map { $0.0 }.min()!) + g.jitter
            let down = step * (places.map { $0.0 }.max()!) + g.jitter + g.patch
            let left = -step * (places.map { $0.1 }.min()!) + g.jitter
            let right = step * (places.map { $0.1 }.max()!) + g.jitter + g.patch
            // At least as large as the patches need.
            let (height, width) = (Double(image.height), Double(image.width))
            let scale = max((area / (height * width)).squareRoot(), Double(up + down) / height, Double(left + right) / width)
            size = ImageSize(
                height: max(up + down, Int((height * scale).rounded())), width: max(left + right, Int((width * scale).rounded())))
            let y = up + random.integer(below: size.height - up - down + 1)
            let x = left + random.integer(below: size.width - left - right + 1)
            boxes = []
            for (row, column) in places {
                let dy = random.integer(below: 2 * g.jitter + 1) - g.jitter
                let dx = random.integer(below: 2 * g.jitter + 1) - g.jitter
                boxes.append(PixelBox(x: x + column * step + dx, y: y + row * step + dy, width: g.patch, height: g.patch))
            }
        }
    }

    public func captions(of outputs: OutputBuffers) -> [String] {
        (0..<neighbours).map { "neighbour\($0): \(Self.positionNames[Int(outputs.integers(neighbours + 1)[$0])])" }
    }
}
