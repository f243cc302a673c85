/// Stochastic gradient descent with momentum, as `torch.optim.SGD`, by libtorch's fused kernel.
///
///     g ← g + λ·w,   v ← μ·v + g,   w ← w − lr·v        (Nesterov: w ← w − lr·(g + μ·v))
public final class SGD: Optimizer {
    public var groups: [ParameterGroup]
    private let momentum: Double
    private let nesterov: Bool
    private let slots = Slots("momentum")

    public init(_ groups: [ParameterGroup], momentum: Double = 0.9, nesterov: Bool = false) {
        self.groups = groups
        self.momentum = momentum
        self.nesterov = nesterov
    }

    public func step(learningRate: Double) {
        withoutGradients {
            for group in groups {
                let (parameters, values, gradients) = group.withGradients
                guard !values.isEmpty else { continue }
                // A velocity that starts at zero takes the first gradient as it is: PyTorch's first step.
                let velocity = momentum == 0 ? [] : slots.lists(for: parameters).lists[0]
                ATen.fusedSGD.perform(
                    values, gradients, velocity, group.weightDecay, momentum, learningRate * group.learningRateScale, 0.0, nesterov,
                    false, false)
            }
        }
    }

    public func forget(_ parameters: [Parameter]) { slots.forget(parameters) }

    public var state: StateDict { slots.state(of: parameters) }

    public func load(_ state: StateDict) throws(StateDictMismatch) { try slots.load(state, of: parameters) }
}
