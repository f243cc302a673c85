public import Backbones
public import Torch
public import Views

/// RotNet: Unsupervised Representation Learning by Predicting Image Rotations (Gidaris et al. 2018, arXiv:1803.07728).
///
///     L = −1/4 Σ_{y = 0…3} log F^y( rotate(x, y · 90°) )    (eq. 2–3), all four rotations of an image in the same batch
///
/// A rotation by quarter turns moves pixels without interpolation, so that nothing but the content tells it.
public final class RotNet: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public init() {}
    }

    public static let card = MethodCard(
        name: "rotnet", title: "RotNet", family: .pretext, paper: "Gidaris et al. 2018, arXiv:1803.07728",
        summary: "tells by how many quarter turns an image was rotated", leastBatch: 1, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.rotNet(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    let classifier: Linear

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        classifier = Linear(encoder.outputWidth, 4)
    }

    /// The views are the rotations by 0, 1, 2 and 3 quarter turns.
    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        Self.losses(classifier(encoder(.concatenated(batch.views))))
    }

    /// - Parameter logits: [4n, 4]; the first n rows are of the images as they are, the next of those turned once.
    static func losses(_ logits: Tensor) -> Losses {
        let turns = Tensor((0..<4).flatMap { [Int](repeating: $0, count: logits.size(0) / 4) }).to(logits.device)
        let losses: Losses = ["rotation": logits.crossEntropy(turns)]
        return losses.measuring("rotation_accuracy", logits.argmax(1).equal(turns).to(.float32).mean())
    }
}
