/// Measures over the gradients of many parameters.
public enum Gradients {
    /// The Euclidean norm of all gradients together, as a tensor on their device (no wait); nil when there are none.
    public static func norm(_ parameters: [Parameter]) -> Tensor? {
        withoutGradients {
            let gradients = parameters.compactMap(\.value.gradient)
            guard !gradients.isEmpty else { return nil }
            return Tensor.stacked(ATen.foreachNorm.list(gradients, 2.0)).norm()
        }
    }

    /// Scales all gradients so that their common norm is at most `limit`, as `torch.nn.utils.clip_grad_norm_`.
    /// - Returns: the norm before.
    @discardableResult
    public static func clip(_ parameters: [Parameter], norm limit: Double) -> Tensor? {
        guard let norm = norm(parameters) else { return nil }
        withoutGradients {
            let scale = (limit / (norm + 1e-6)).clamped(nil, 1)
            ATen.foreachMulTensorInPlace.perform(parameters.compactMap(\.value.gradient), scale)
        }
        return norm
    }
}

/// target ← decay · target + (1 − decay) · source over many tensors at once: the moving average of teachers.
public enum Averaging {
    public static func update(_ targets: [Tensor], towards sources: [Tensor], decay: Double) {
        guard !targets.isEmpty else { return }
        withoutGradients { ATen.foreachLerpInPlace.perform(targets, sources.map { $0.detached() }, 1 - decay) }
    }

    public static func copy(_ sources: [Tensor], into targets: [Tensor]) {
        guard !targets.isEmpty else { return }
        withoutGradients { ATen.foreachCopyInPlace.perform(targets, sources.map { $0.detached() }) }
    }
}
