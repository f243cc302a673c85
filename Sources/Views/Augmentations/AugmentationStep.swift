/// One augmentation: a value that holds its settings and changes an image on a canvas.
///
/// A new one is a file with a type like this and its name in `Augmentation.known`. Its settings have defaults, its
/// `init(from:)` accepts any subset of them, and whether and how strongly it acts comes from `random` alone.
public protocol AugmentationStep: Codable, Equatable, Sendable {
    /// The name in recipes.
    static var name: String { get }

    /// All settings at their published defaults.
    init()

    /// Throws for settings that make no sense.
    func validate() throws(AugmentationError)

    /// The size this leaves of an image of size `size` in a view that ends at `target`; nil if it cannot be told.
    func size(after size: ImageSize, target: ImageSize) -> ImageSize?

    func apply(to canvas: Canvas, random: inout ViewRandom)
}

extension AugmentationStep {
    public func size(after size: ImageSize, target: ImageSize) -> ImageSize? { size }
    public func validate() throws(AugmentationError) {}
    static var check: Check { Check(augmentation: name) }
}
