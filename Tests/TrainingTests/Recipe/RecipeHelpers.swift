import Foundation
import Methods
import Training
import Views

/// The recipes that come with Fovea.
enum ShippedRecipes {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Recipes").path

    /// `simclr/cifar10`, in order.
    static let names: [String] = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
        .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()

    static func path(_ name: String) -> String { "\(folder)/\(name).yaml" }
}

/// Pictures of noise of uneven sizes, in three classes.
struct NoisePictures: ImageDataset {
    let count: Int
    var classNames: [String] { ["a", "b", "c"] }
    func label(at index: Int) -> Int? { index % 3 }
    func name(at index: Int) -> String { "\(index)" }
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        let (width, height) = (40 + index % 5, 36 + index % 3)
        var state = UInt32(truncatingIfNeeded: index &+ 1)
        let pixels = (0..<width * height * 3).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }
}

/// A recipe from YAML.
func recipe(_ text: String, _ changes: String..., methods: MethodRegistry = .standard) throws -> Recipe {
    try RecipeFile(methods: methods).parse(text, source: "test.yaml", changes: changes)
}

/// Why there is none; nil when there is.
func refusal(_ text: String, _ changes: String..., methods: MethodRegistry = .standard) -> String? {
    do {
        _ = try RecipeFile(methods: methods).parse(text, source: "test.yaml", changes: changes)
        return nil
    } catch { return "\(error)" }
}
