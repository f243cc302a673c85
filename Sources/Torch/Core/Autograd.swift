internal import CTorch

/// Runs `body` without recording a graph: what is computed inside has no gradient.
public func withoutGradients<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = ct_set_gradients_enabled(false)
    defer { _ = ct_set_gradients_enabled(before) }
    return try body()
}

/// Runs `body` with a graph recorded, inside `withoutGradients` as well.
public func withGradients<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = ct_set_gradients_enabled(true)
    defer { _ = ct_set_gradients_enabled(before) }
    return try body()
}

/// Runs `body` in inference mode: like `withoutGradients`, and what is made inside can never enter a graph later,
/// which saves the bookkeeping.
public func inference<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let guarded = ct_inference_begin()
    defer { ct_inference_end(guarded) }
    return try body()
}

/// Runs `body` under autocast: matrix products and convolutions in `type`, what needs the range in float32.
/// A nil `type` runs `body` as it is.
public func autocast<Result, Failure: Error>(
    _ type: DataType?, on device: Device, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let type else { return try body() }
    let before = ct_autocast_begin(Int32(device.code.type), Int32(type.rawValue))
    defer { ct_autocast_end(Int32(device.code.type), before) }
    return try body()
}

/// Runs `body` in float32 though autocast may be on around it: for matrix products whose sums lower precision cannot hold.
public func fullPrecision<Result, Failure: Error>(on device: Device, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try autocast(.float32, on: device, body)
}

extension Tensor {
    public var requiresGradient: Bool {
        get { ct_tensor_requires_grad(handle) }
        set { check("requires_grad_", self) { ct_tensor_set_requires_grad(handle, newValue) } }
    }

    /// What `backward` accumulated; nil when nothing did. One that is set must have the tensor's shape.
    public var gradient: Tensor? {
        get { ct_tensor_grad(handle).map(Tensor.init) }
        set { check("set_grad", self) { ct_tensor_set_grad(handle, newValue?.handle) } }
    }

    /// Adds d self / d leaf to the gradient of every leaf that self depends on.
    /// - Parameters:
    ///   - gradient: the gradient at self, of its shape; needed unless self is a scalar.
    ///   - retainGraph: keep what a second `backward` through the same graph needs.
    public func backward(_ gradient: Tensor? = nil, retainGraph: Bool = false) {
        check("backward", self) { ct_backward(handle, gradient?.handle, retainGraph) }
    }

    /// A view of the values outside the graph.
    public func detached() -> Tensor { ATen.detach(self) }
}

/// d Σ outputs / d inputs, without touching `gradient` of any leaf; nil where an output does not depend on the input.
/// - Parameter createGraph: record the computation of the gradients, for second derivatives.
public func gradients(
    of outputs: [Tensor], with outputGradients: [Tensor]? = nil, by inputs: [Tensor], createGraph: Bool = false
) -> [Tensor?] {
    let ys: [ct_tensor?] = outputs.map(\.handle)
    let seeds: [ct_tensor?]? = outputGradients.map { $0.map(\.handle) }
    let xs: [ct_tensor?] = inputs.map(\.handle)
    var found = [ct_tensor?](repeating: nil, count: xs.count)
    // The arrays hold bare handles.
    withExtendedLifetime((outputs, outputGradients, inputs)) {
        check("grad", outputs) {
            if let seeds { return ct_gradients(ys, seeds, ys.count, xs, xs.count, createGraph, &found) }
            return ct_gradients(ys, nil, ys.count, xs, xs.count, createGraph, &found)
        }
    }
    return found.map { $0.map(Tensor.init) }
}
