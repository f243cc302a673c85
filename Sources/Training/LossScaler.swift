internal import Torch

/// Dynamic loss scaling for float16 (Micikevicius et al. 2018, arXiv:1710.03740): small gradients would vanish, so the loss
/// is multiplied before `backward` and the gradients divided after; a step whose gradients overflow is left out and the
/// scale halved, and it doubles after 2,000 good steps.
final class LossScaler {
    private(set) var scale = 65536.0
    private var goodSteps = 0
    private let isActive: Bool

    init(_ precision: TrainingSettings.Precision) { isActive = precision == .float16 }

    func scaled(_ loss: Tensor) -> Tensor { isActive ? loss * scale : loss }

    /// Brings the gradients back to their size.
    /// - Returns: whether the step may be taken.
    func unscale(_ parameters: [Parameter]) -> Bool {
        guard isActive else { return true }
        let gradients = parameters.compactMap(\.value.gradient)
        withoutGradients { gradients.forEach { $0.multiplyInPlace(1 / scale) } }
        let isFinite = Gradients.norm(parameters).map { $0.item.isFinite } ?? true
        if isFinite {
            goodSteps += 1
            if goodSteps == 2000 {
                scale *= 2
                goodSteps = 0
            }
        } else {
            scale /= 2
            goodSteps = 0
        }
        return isFinite
    }

    var state: StateDict { isActive ? ["scale": Tensor([scale, Double(goodSteps)])] : [:] }

    func load(_ state: StateDict) {
        guard isActive, let values = state["scale"]?.doubles, values.count == 2 else { return }
        scale = values[0]
        goodSteps = Int(values[1])
    }
}
