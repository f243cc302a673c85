/// A picture of what a method sees: images on the left, or the middle frames of clips, their views beside them.
public enum ViewSheet {
    /// - Parameters:
    ///   - count: images, spread over the data set; unreadable ones are passed over.
    ///   - method: what draws what it hides while it trains; one with new weights is built for it where none is given.
    /// - Throws: `FileError`, and what the method's views throw.
    public static func write(
        _ recipe: Recipe, _ images: any ImageDataset, to path: String, count: Int = 8, draws: Int = 1,
        methods: MethodRegistry = .standard, method: (any SelfSupervisedMethod)? = nil
    ) throws {
        let entry = try methods.entry(named: recipe.method.name)
        let maker = try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: recipe.views)
        let count = min(count, images.count)
        let places = (0..<count).map { $0 * images.count / count }
        let seed = recipe.training.seed
        let sheet: PixelImage
        if let maker = maker as? any ClipViewMaker, case let clips = places.compactMap({ try? images.clip(at: $0) }), !clips.isEmpty {
            sheet = maker.sheet(of: clips, seed: seed, draws: draws)
        } else {
            let shown = places.compactMap { try? images.image(at: $0, coveringAtLeast: nil) }
            guard !shown.isEmpty else { return }
            // A run that goes on after this draws the same as without it.
            let generators = Runtime.generatorState(.cpu)
            defer { Runtime.setGeneratorState(generators, of: .cpu) }
            let hiding = entry.hasDeviceTask ? try (method ?? new(entry, recipe)) as? any DeviceTask : nil
            sheet = maker.sheet(of: shown, seed: seed, draws: draws) { views in hiding.map { task($0, views, seed: seed) } ?? [] }
        }
        try AtomicFile.write(ImageEncoder.png(sheet), to: path)
    }

    private static func new(_ entry: MethodEntry, _ recipe: Recipe) throws -> any SelfSupervisedMethod {
        let context = MethodContext(
            backbone: recipe.backbone, input: recipe.data.input, imageSize: recipe.data.imageSize, sampleCount: 1, classCount: 0)
        return try entry.make(recipe.method.settings, context)
    }

    private static func task(_ method: any DeviceTask, _ views: [PixelImage], seed: UInt64) -> [(name: String, pictures: [PixelImage])] {
        let batch = Tensor.stacked(
            views.map { Tensor($0.pixels.map(Float.init), [$0.height, $0.width, 3]).permuted(2, 0, 1).to(.uint8) })
        Runtime.seed(seed)
        return method.evaluating { inference { method.task(of: batch) } }.map { row in
            let bytes = (row.images.to(.float32).clamped(0, 255) + 0.5).clamped(0, 255).to(.uint8).permuted(0, 2, 3, 1).contiguous()
            let (height, width) = (bytes.size(1), bytes.size(2))
            return (
                row.title, (0..<bytes.size(0)).map { PixelImage(width: width, height: height, pixels: bytes[$0].contiguous().bytes) }
            )
        }
    }
}
