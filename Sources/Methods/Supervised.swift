public import Backbones
public import Torch
public import Views

/// Ordinary supervised training by cross-entropy: not self-supervised, but the baseline that every such paper has, and the
/// source of transfer. It runs under the same protocol so that the comparison is fair. Samples without a label are skipped.
public final class Supervised: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var labelSmoothing = 0.0

        public init() {}

        public func validate() throws(SettingsError) {
            guard (0..<1).contains(labelSmoothing) else {
                throw SettingsError("method.labelSmoothing must be at least 0 and below 1, not \(labelSmoothing)")
            }
        }
    }

    public static let card = MethodCard(
        name: "supervised", title: "Supervised", family: .supervised, paper: "the baseline of every paper",
        summary: "cross-entropy on the labels", needsLabels: true, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    public let classifier: Linear
    private let labelSmoothing: Double

    public init(_ settings: Settings, _ context: MethodContext) throws {
        guard context.classCount >= 2 else {
            throw SettingsError("supervised training needs at least 2 classes, and the data have \(context.classCount)")
        }
        encoder = try context.makeEncoder()
        classifier = Linear(encoder.outputWidth, context.classCount)
        labelSmoothing = settings.labelSmoothing
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        ["cross_entropy": Self.crossEntropy(logits(batch.views[0]), batch.labels, labelSmoothing: labelSmoothing)]
    }

    /// The mean over the samples that have a label; 0 when none has.
    static func crossEntropy(_ logits: Tensor, _ labels: Tensor, labelSmoothing: Double) -> Tensor {
        let count = labels.atLeast(0).to(logits.dataType).sum().clamped(1)
        return logits.summedCrossEntropy(labels, labelSmoothing: labelSmoothing, ignoring: -1) / count
    }

    /// Pixels [n, 3, h, w] to [n, classes].
    public func logits(_ pixels: Tensor) -> Tensor { classifier(encoder(pixels)) }
}
