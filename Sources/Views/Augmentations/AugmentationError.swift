/// A setting that makes no sense, in one line.
public struct AugmentationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let augmentation: String
    public let problem: String

    public init(_ augmentation: String, _ problem: String) {
        self.augmentation = augmentation
        self.problem = problem
    }

    public var description: String { "\(augmentation): \(problem)" }
}

/// The checks that most settings need.
struct Check {
    let augmentation: String

    func holds(_ condition: Bool, _ problem: @autoclosure () -> String) throws(AugmentationError) {
        if !condition { throw AugmentationError(augmentation, problem()) }
    }

    func probability(_ p: Double, _ name: String = "p") throws(AugmentationError) {
        try holds(p >= 0 && p <= 1, "\(name) is \(p), but a probability lies in 0…1")
    }

    func positive(_ size: ImageSize?) throws(AugmentationError) {
        if let size { try holds(size.isPositive, "size is \(size), but both sides must be at least 1") }
    }
}
