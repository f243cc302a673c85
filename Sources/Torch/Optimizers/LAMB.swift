import Foundation

/// LAMB (You et al. 2020, arXiv:1904.00962, algorithm 2): Adam's direction with LARS's layer-wise length.
///
///     r ← m̂ / (√v̂ + ε),   u ← r + λ·w,   w ← w − lr · ‖w‖ / ‖u‖ · u
///
/// φ is the identity; the ratio is 1 for groups that are not adapted, and where a norm is 0.
public final class LAMB: Optimizer {
    public var groups: [ParameterGroup]
    private let betas: (Double, Double)
    private let epsilon: Double
    private let slots = Slots("mean", "square", "step")

    public init(_ groups: [ParameterGroup], betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-6) {
        self.groups = groups
        self.betas = betas
        self.epsilon = epsilon
    }

    public func step(learningRate: Double) {
        withoutGradients {
            for group in groups {
                let (parameters, values, gradients) = group.withGradients
                guard !values.isEmpty else { continue }
                let lists = slots.lists(for: parameters, scalar: ["step"]).lists
                let (means, squares, steps) = (lists[0], lists[1], lists[2])
                ATen.foreachAddScalarInPlace.perform(steps, 1.0)
                ATen.foreachLerpInPlace.perform(means, gradients, 1 - betas.0)
                ATen.foreachMulScalarInPlace.perform(squares, betas.1)
                ATen.foreachAddcmulInPlace.perform(squares, gradients, gradients, 1 - betas.1)
                for (value, (mean, (square, step))) in zip(values, zip(means, zip(squares, steps))) {
                    let unbiased = mean / bias(betas.0, step, value)
                    let spread = (square / bias(betas.1, step, value)).sqrt() + epsilon
                    let update = unbiased / spread + value * group.weightDecay
                    value.addInPlace(update * ratio(value, update, group.isAdapted), scale: -learningRate * group.learningRateScale)
                }
            }
        }
    }

    /// 1 − βᵗ, written so that a β near 1 loses no digits: 0.999 in float32 would cost four of them in the first steps.
    private func bias(_ beta: Double, _ step: Tensor, _ value: Tensor) -> Tensor {
        -Operation.expm1(step.to(value.dataType == .float64 ? .float64 : .float32) * Foundation.log(beta))
    }

    private func ratio(_ value: Tensor, _ update: Tensor, _ isAdapted: Bool) -> Tensor {
        let (w, u) = (value.norm(), update.norm())
        guard isAdapted else { return w.onesLike() }
        return (w / u).where(w.greater(0).and(u.greater(0)), otherwise: w.onesLike())
    }

    public func forget(_ parameters: [Parameter]) { slots.forget(parameters) }

    public var state: StateDict { slots.state(of: parameters) }

    public func load(_ state: StateDict) throws(StateDictMismatch) {
        try slots.load(state, of: parameters, scalar: ["step"])
    }
}

extension Operation {
    fileprivate static let expm1 = Operation("expm1")
}
