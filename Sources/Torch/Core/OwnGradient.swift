internal import CTorch

/// Tensors whose gradient the caller computes: for functions that keep less for it than the graph would, as reversible networks do.
/// There are no second derivatives.
/// - Parameters:
///   - inputs: what a gradient is for, parameters among them.
///   - forward: run without a graph.
///   - backward: from the outputs and their gradients (nil where the loss does not depend on one) to those of the inputs, in order;
///     nil for none. It is kept as long as the graph is, and must not hold the outputs.
/// - Returns: the outputs.
public func withOwnGradient(
    of inputs: [Tensor], _ forward: () -> [Tensor], backward: @escaping (_ outputs: [Tensor], _ gradients: [Tensor?]) -> [Tensor?]
) -> [Tensor] {
    let computed = withoutGradients(forward)
    var outputs: [ct_tensor?] = computed.map(\.handle)
    let handles: [ct_tensor?] = inputs.map(\.handle)
    let context = Unmanaged.passRetained(Backward(backward)).toOpaque()
    withExtendedLifetime((inputs, computed)) {
        check("own_gradient", inputs) {
            ct_own_gradient(
                handles, handles.count, &outputs, outputs.count,
                { context, outputs, gradients, count, results in
                    let function = Unmanaged<Backward>.fromOpaque(context!).takeUnretainedValue().function
                    let found = function(
                        (0..<count).map { Tensor(outputs![$0]!) }, (0..<count).map { index in gradients![index].map { Tensor($0) } })
                    for gradient in found { ct_add_gradient(results, gradient?.handle) }
                },
                context, { Unmanaged<Backward>.fromOpaque($0!).release() })
        }
    }
    return outputs.map { Tensor($0!) }
}

private final class Backward {
    let function: ([Tensor], [Tensor?]) -> [Tensor?]
    init(_ function: @escaping ([Tensor], [Tensor?]) -> [Tensor?]) { self.function = function }
}

/// The type that autocast computes in here; nil where it is off.
public func autocastType(on device: Device) -> DataType? {
    let type = Int32(device.code.type)
    let before = ct_autocast_begin(type, Int32(DataType.float32.rawValue))
    ct_autocast_end(type, before)
    return before < 0 ? nil : DataType(rawValue: Int(before))
}
