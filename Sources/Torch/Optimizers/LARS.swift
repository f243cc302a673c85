/// Layer-wise adaptive rate scaling (You, Gitman & Ginsburg 2017, arXiv:1708.03888, algorithm 1), the optimiser of
/// SimCLR, BYOL, SwAV and Barlow Twins:
///
///     λ ← η·‖w‖ / (‖g‖ + β·‖w‖),   v ← μ·v + lr·λ·(g + β·w),   w ← w − v
///
/// The learning rate stands inside the velocity, as in the paper and in SimCLR's code (PyTorch's SGD has it outside).
/// λ is 1 for groups that are not adapted (biases and norms, which the callers also spare weight decay), and where ‖w‖
/// or ‖g‖ is 0. β in λ's denominator is You et al.'s; SimCLR's code adds β·w to g before taking the norm, which
/// differs by the angle between the two.
public final class LARS: Optimizer {
    public var groups: [ParameterGroup]
    private let momentum: Double
    private let trustCoefficient: Double
    private let clipsLearningRate: Bool
    private let slots = Slots("momentum")

    /// - Parameters:
    ///   - trustCoefficient: η; 0.001 in the papers, 0.02 in the CIFAR recipes.
    ///   - clipsLearningRate: min(λ / lr, 1) for λ, so that the layer's rate is λ but at most lr (solo-learn's `clip_lr`).
    public init(_ groups: [ParameterGroup], momentum: Double = 0.9, trustCoefficient: Double = 0.001, clipsLearningRate: Bool = false) {
        self.groups = groups
        self.momentum = momentum
        self.trustCoefficient = trustCoefficient
        self.clipsLearningRate = clipsLearningRate
    }

    public func step(learningRate: Double) {
        withoutGradients {
            for group in groups {
                let (parameters, values, gradients) = group.withGradients
                guard !values.isEmpty else { continue }
                let rate = learningRate * group.learningRateScale
                let velocity = slots.lists(for: parameters).lists[0]
                var updates = ATen.foreachAddList.list(gradients, values, group.weightDecay)
                if group.isAdapted { updates = scaled(updates, values, gradients, group.weightDecay, rate) }
                ATen.foreachMulScalarInPlace.perform(velocity, momentum)
                ATen.foreachAddListInPlace.perform(velocity, updates, rate)
                ATen.foreachAddListInPlace.perform(values, velocity, -1.0)
            }
        }
    }

    private func scaled(_ updates: [Tensor], _ values: [Tensor], _ gradients: [Tensor], _ weightDecay: Double, _ rate: Double) -> [Tensor] {
        let weightNorms = Tensor.stacked(ATen.foreachNorm.list(values, 2.0))
        let gradientNorms = Tensor.stacked(ATen.foreachNorm.list(gradients, 2.0))
        var trust = weightNorms * trustCoefficient / (gradientNorms + weightNorms * weightDecay)
        if clipsLearningRate { trust = (trust / rate).clamped(nil, 1) }
        let usable = weightNorms.greater(0).and(gradientNorms.greater(0))
        trust = trust.where(usable, otherwise: trust.onesLike())
        return ATen.foreachMulList.list(updates, Operation.unbind.list(trust))
    }

    public func forget(_ parameters: [Parameter]) { slots.forget(parameters) }

    public var state: StateDict { slots.state(of: parameters) }

    public func load(_ state: StateDict) throws(StateDictMismatch) { try slots.load(state, of: parameters) }
}

extension Operation {
    fileprivate static let unbind = Operation("unbind", "int")
}
