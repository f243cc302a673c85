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

    /// - Parameter x: [n, 3, h, w], normalised, best in channels-last order.
    /// - Returns: [n, outputWidth], pooled over positions.
    open func callAsFunction(_ x: Tensor) -> Tensor { preconditionFailure("\(type(of: self)) does not override callAsFunction") }

    /// The outputs of named layers, unpooled where they have positions.
    /// - Precondition: the names are among `layerNames`.
    open func features(_ x: Tensor, at layers: Set<String>) -> [String: Tensor] { [:] }
}
