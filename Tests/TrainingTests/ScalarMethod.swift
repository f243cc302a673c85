import Fovea
import Testing

/// A method that pencil and paper can follow: two numbers w and b, and of an image only its mean m.
///
///     L = (w − m)² + slope · b
final class ScalarMethod: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var slope = 0.0
        var poisonAtStep = -1
        /// When the statistics that evaluation uses are ruined, while weights and loss stay as they are.
        var ruinsStatisticsAtStep = -1
    }

    static let card = MethodCard(
        name: "scalar", title: "Scalar", family: .pretext, paper: "none", summary: "for tests", leastBatch: 1, hasPositivePairs: false)

    /// The images as they are.
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.evaluation(size: ImageSize(imageSize))
    }

    final class Number: Module {
        let value: Parameter
        init(_ value: Double) { self.value = Parameter(Tensor([Float(value)])) }
    }

    let encoder: Encoder
    let w = Number(1)
    let b = Number(0.5)
    private let settings: Settings

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        self.settings = settings
    }

    var phases: [Phase] { [Phase("main", [.init(w), .init(b, hasConstantRate: true)])] }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let m = (batch.views[0].to(.float32) / 255).mean()
        if step.index == settings.ruinsStatisticsAtStep {
            for (key, tensor) in encoder.stateDict where key.hasSuffix("layer4.1.bn2.running_mean") {
                withoutGradients { tensor.copyInPlace(.full(tensor.shape, -.infinity)) }
            }
        }
        let poison = step.index == settings.poisonAtStep ? Double.nan : 1
        return ["distance": (w.value.value - m).squared().sum() * poison, "slope": b.value.value.sum() * settings.slope]
    }
}
