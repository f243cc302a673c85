internal import Methods
internal import Torch

/// The optimiser of one phase, and which of its groups do what.
final class PhaseOptimizer {
    let phase: Phase
    let optimizer: any Optimizer
    /// For each group: whether it stays at the peak rate, and its scale.
    private let rates: [(isConstant: Bool, scale: Double)]

    init(_ phase: Phase, _ settings: TrainingSettings) {
        self.phase = phase
        var groups: [ParameterGroup] = []
        var rates: [(Bool, Double)] = []
        for part in phase.parts {
            let own = part.parameters.groups(
                weightDecay: settings.weightDecay, decayingVectors: settings.decaysVectors, learningRateScale: part.learningRateScale)
            groups += own
            rates += own.map { _ in (part.hasConstantRate, part.learningRateScale) }
        }
        optimizer = settings.optimizer.make(groups)
        self.rates = rates
    }

    /// One step at the scheduled rate; groups with a constant rate at the peak.
    func step(learningRate: Double, peak: Double) {
        guard rates.contains(where: \.isConstant) else { return optimizer.step(learningRate: learningRate) }
        // The others relative to the peak, and not the constant ones to a rate that may be 0 while the run warms up.
        for (index, rate) in rates.enumerated() where !rate.isConstant {
            optimizer.groups[index].learningRateScale = rate.scale * learningRate / peak
        }
        optimizer.step(learningRate: peak)
    }
}
