/// A picture of what a method sees: images on the left, their views beside them.
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
        let shown = (0..<count).compactMap { try? images.image(at: $0 * images.count / count, coveringAtLeast: nil) }
        guard !shown.isEmpty else { return }
        let sheet = maker.sheet(of: shown, seed: recipe.training.seed, draws: draws)
        try AtomicFile.write(ImageEncoder.png(sheet), to: path)
    }
}
