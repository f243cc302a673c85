public import Testing
public import Torch

/// Compares autograd's gradient with central finite differences, element by element, in float64.
///
/// - Parameters:
///   - function: of the inputs; what it returns may have any shape, and is contracted with fixed, uneven weights.
///   - inputs: converted to float64; away from kinks, or the differences mean nothing.
public func checkGradient(
    at inputs: Tensor..., step: Double = 1e-5, tolerance: Tolerance = Tolerance(relative: 1e-6, absolute: 1e-7),
    sourceLocation: SourceLocation = #_sourceLocation, of function: ([Tensor]) -> Tensor
) {
    guard let found = gradientDifference(at: inputs, step: step, tolerance: tolerance, of: function) else { return }
    Issue.record(Comment(rawValue: found), sourceLocation: sourceLocation)
}

/// What `checkGradient` reports; nil when the gradient is right.
public func gradientDifference(
    at inputs: [Tensor], step: Double = 1e-5, tolerance: Tolerance = Tolerance(relative: 1e-6, absolute: 1e-7),
    of function: ([Tensor]) -> Tensor
) -> String? {
    // Thousands of tiny operations: handing them out to threads takes longer than they do.
    let threads = Runtime.threads
    Runtime.threads = 1
    defer { Runtime.threads = threads }
    let inputs = inputs.map { $0.to(.float64).detached().contiguous().cloned() }
    func contracted(_ inputs: [Tensor]) -> Tensor {
        let output = function(inputs).flattened()
        return (output * (Tensor.arange(output.count, .float64) * 0.7 + 0.3).cos()).sum()
    }
    let leaves = inputs.map { input in
        let leaf = input.cloned()
        leaf.requiresGradient = true
        return leaf
    }
    let found = gradients(of: [contracted(leaves)], by: leaves)
    for (index, input) in inputs.enumerated() {
        var differences: [Double] = []
        for element in 0..<input.count {
            func shifted(_ amount: Double) -> Double {
                var values = input.doubles
                values[element] += amount
                var all = inputs
                all[index] = Tensor(values, input.shape)
                return withoutGradients { contracted(all).item }
            }
            differences.append((shifted(step) - shifted(-step)) / (2 * step))
        }
        if let text = difference(found[index] ?? input.zerosLike(), Tensor(differences, input.shape), tolerance) {
            return "gradient by input \(index): \(text)"
        }
    }
    return nil
}
