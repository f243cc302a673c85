public import Testing
public import Torch

/// Compares a layer with a `layer_case` of generate.py: state-dict keys and shapes, outputs of every pass, gradients by input
/// and by parameters, and the buffers afterwards.
public func expectLayer(
    _ layer: Layer, matches values: ReferenceValues, training: Bool = true, tolerance: Tolerance = .float32,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let start = values.tensors.keys.contains { $0.hasPrefix("state.") } ? values.under("state").tensors : [:]
    try layer.load(start)
    if training { layer.train() } else { layer.eval() }
    var pass = 0
    while let input = values[optional: "\(pass).input"] {
        input.requiresGradient = true
        let output = layer(input)
        expectClose(output, values["\(pass).output"], tolerance, "output of pass \(pass)", sourceLocation: sourceLocation)
        (output * values["\(pass).cotangent"]).sum().backward()
        expectClose(
            input.gradient ?? .zeros([]), values["\(pass).gradient"], tolerance, "gradient of pass \(pass)", sourceLocation: sourceLocation)
        pass += 1
    }
    #expect(pass > 0, "no passes", sourceLocation: sourceLocation)
    for (key, parameter) in layer.namedParameters {
        expectClose(
            parameter.value.gradient ?? .zeros([]), values["gradient.\(key)"], tolerance, "gradient of \(key)",
            sourceLocation: sourceLocation)
    }
    for (key, buffer) in layer.namedBuffers {
        #expect(buffer.value.dataType == values["after.\(key)"].dataType, "\(key)", sourceLocation: sourceLocation)
        expectClose(buffer.value, values["after.\(key)"], tolerance, "\(key) afterwards", sourceLocation: sourceLocation)
    }
}
