public import Torch

/// A network from images to features, without a classifier.
///
/// Its state-dict keys are those of the reference implementation that its `BackboneEntry` names, so that weights travel
/// both ways.
open class Backbone: Module {
    /// Width of the features.
    open var outputWidth: Int { preconditionFailure("\(type(of: self)) does not say its output width") }

    /// Names of the layers whose outputs `features(_:at:)` can give, from input to output.
    open var layerNames: [String] { [] }

    /// Further names that `features(_:at:)` answers to, [n, d, 1, 1]: summaries of several layers, which linear evaluation joins.
    open var joinedNames: [String] { [] }

    /// How many depths `depth(ofParameter:)` tells apart.
    open var depthCount: Int { 1 }

    /// How far from the input a parameter is, from 0 on: what layer-wise learning-rate decay goes by. In a transformer the
    /// embeddings are 0 and block i is i + 1, with the last norm in the last block's (Bao et al. 2022, arXiv:2106.08254).
    /// - Parameter key: as in the state dict.
    open func depth(ofParameter key: String) -> Int { 0 }

    /// The layer whose maps, averaged over positions, are the output: where saliency maps are read. Nil where there is none.
    open var attributionLayer: String? { nil }

    /// Of networks with attention: how the last block's summary attends to positions, [n, heads, h, w]; nil for others.
    /// - Parameter x: as for a call.
    open func attentionMaps(_ x: Tensor) -> Tensor? { nil }

    /// - Parameter x: [n, 3, h, w], normalised, best in channels-last order.
    /// - Returns: [n, outputWidth], pooled over positions.
    open func callAsFunction(_ x: Tensor) -> Tensor { preconditionFailure("\(type(of: self)) does not override callAsFunction") }

    /// The outputs of named layers, unpooled where they have positions.
    /// - Precondition: the names are among `layerNames` and `joinedNames`.
    open func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] { [:] }
}
