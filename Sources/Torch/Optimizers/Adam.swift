/// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), as `torch.optim.Adam` and `AdamW`, by libtorch's
/// fused kernels.
public final class Adam: Optimizer {
    public var groups: [ParameterGroup]
    private let betas: (Double, Double)
    private let epsilon: Double
    private let decouplesWeightDecay: Bool
    private let slots = Slots("mean", "square", "step")

    /// - Parameter decouplesWeightDecay: AdamW: decay the weights themselves, not the gradients.
    public init(
        _ groups: [ParameterGroup], betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, decouplesWeightDecay: Bool = false
    ) {
        self.groups = groups
        self.betas = betas
        self.epsilon = epsilon
        self.decouplesWeightDecay = decouplesWeightDecay
    }

    public func step(learningRate: Double) {
        withoutGradients {
            for group in groups {
                let (parameters, values, gradients) = group.withGradients
                guard !values.isEmpty else { continue }
                let lists = slots.lists(for: parameters, scalar: ["step"]).lists
                ATen.foreachAddScalarInPlace.perform(lists[2], 1.0)
                let kernel = decouplesWeightDecay ? ATen.fusedAdamW : ATen.fusedAdam
                kernel.perform(
                    values, gradients, lists[0], lists[1], [Tensor](), lists[2], learningRate * group.learningRateScale, betas.0,
                    betas.1, group.weightDecay, epsilon, false, false)
            }
        }
    }

    public func forget(_ parameters: [Parameter]) { slots.forget(parameters) }

    public var state: StateDict { slots.state(of: parameters) }

    public func load(_ state: StateDict) throws(StateDictMismatch) {
        try slots.load(state, of: parameters, scalar: ["step"])
    }
}
