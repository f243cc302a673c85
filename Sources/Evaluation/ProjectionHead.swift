internal import Files
public import Torch

/// The first layer of a run's projector, with its normalisation: what SimCLRv2 fine-tunes from.
public struct ProjectionHead {
    /// `0.weight` and what belongs to it, `1.…` of its batch normalisation.
    let state: StateDict
    let width: Int
    let hasBatchNorm: Bool

    /// - Parameter state: of a projector of linear layers, with or without batch normalisation between them.
    /// - Throws: `EvaluationError` when it has no hidden layer, after which alone there is a middle to begin at.
    public init(_ state: StateDict, inputs: Int) throws(EvaluationError) {
        guard let weight = state["0.weight"], weight.rank == 2, weight.size(1) == inputs else {
            throw EvaluationError("the run's projection head does not begin with a linear layer on the encoder's \(inputs) features")
        }
        let isHidden = state.contains { key, value in key != "0.weight" && key.hasSuffix(".weight") && value.rank == 2 }
        guard isHidden else { throw EvaluationError("the run's projection head has no hidden layer that fine-tuning could begin at") }
        hasBatchNorm = state["1.running_mean"] != nil
        width = weight.size(0)
        self.state = state.filter { $0.key.hasPrefix("0.") || $0.key.hasPrefix("1.") && state["1.running_mean"] != nil }
        guard (state["0.bias"] == nil) == hasBatchNorm else {
            throw EvaluationError("the run's projection head has a bias or a normalisation that no head of Fovea's has")
        }
    }
}
