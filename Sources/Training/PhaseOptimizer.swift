internal import Methods
internal import Torch

/// The optimiser of one phase, and which of its groups do what.
final class PhaseOptimizer {
    let phase: Phase
    let optimizer: any Optimizer
    /// For each group: whether it stays at the peak rate, and its scale.
    private let rates: [(isConstant: Bool, scale: Double, decays: Bool)]

    init(_ phase: Phase, _ settings: TrainingSettings) {
        self.phase = phase
        var groups: [ParameterGroup] = []
        var rates: [(Bool, Double, Bool)] = []
        for part in phase.parts {
            let own = part.parameters.groups(
                weightDecay: settings.weightDecay, decayingVectors: settings.decaysVectors, learningRateScale: part.learningRateScale)
            groups += own
            rates += own.map { (part.hasConstantRate, part.learningRateScale, $0.isAdapted || settings.decaysVectors) }
        }
        optimizer = settings.optimizer.make(groups)
        self.rates = rates
    }

    /// One step at the scheduled rate; groups with a constant rate at the peak.
    /// - Parameter weightDecay: from now on; nil leaves it.
    func step(learningRate: Double, peak: Double, weightDecay: Double? = nil) {
        if let weightDecay {
            for (index, rate) in rates.enumerated() where rate.decays { optimizer.groups[index].weightDecay = weightDecay }
        }
        guard rates.contains(where: \.isConstant) else { return optimizer.step(learningRate: learningRate) }
        // The others relative to the peak, and not the constant ones to a rate that may be 0 while the run warms up.
        for (index, rate) in rates.enumerated() where !rate.isConstant {
            optimizer.groups[index].learningRateScale = rate.scale * learningRate / peak
        }
        optimizer.step(learningRate: peak)
    }
}
