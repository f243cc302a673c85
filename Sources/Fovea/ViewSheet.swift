/// A picture of what a method sees: images on the left, or the middle frames of clips, their views beside them.
public enum ViewSheet {
    /// - Parameter count: images, spread over the data set; unreadable ones are passed over.
    /// - Throws: `FileError`, and what the method's views throw.
    public static func write(
        _ recipe: Recipe, _ images: any ImageDataset, to path: String, count: Int = 8, draws: Int = 1,
        methods: MethodRegistry = .standard
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
            sheet = maker.sheet(of: shown, seed: seed, draws: draws)
        }
        try AtomicFile.write(ImageEncoder.png(sheet), to: path)
    }
}
