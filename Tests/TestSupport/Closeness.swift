public import Testing
public import Torch

/// How far two values may lie apart: |actual − expected| ≤ absolute + relative · |expected|.
public struct Tolerance: Sendable {
    public let relative: Double
    public let absolute: Double

    public init(relative: Double, absolute: Double) {
        self.relative = relative
        self.absolute = absolute
    }

    /// For float32 arithmetic compared with float64 arithmetic.
    public static let float32 = Tolerance(relative: 1e-5, absolute: 1e-5)
    /// For float64 arithmetic in another order.
    public static let float64 = Tolerance(relative: 1e-10, absolute: 1e-10)
    public static let exact = Tolerance(relative: 0, absolute: 0)
}

/// Where and how much `actual` differs from `expected`, as text; nil when it does not. Shapes must be equal; NaN is close to
/// nothing, an infinity only to itself.
public func difference(_ actual: Tensor, _ expected: Tensor, _ tolerance: Tolerance) -> String? {
    guard actual.shape == expected.shape else { return "shape \(actual.shape) instead of \(expected.shape)" }
    let (a, b) = (actual.doubles, expected.doubles)
    var worst = (index: 0, distance: -1.0)
    var failures = 0
    for index in a.indices where a[index] != b[index] {
        let distance = (a[index] - b[index]).magnitude
        if distance <= tolerance.absolute + tolerance.relative * b[index].magnitude, b[index].isFinite { continue }
        failures += 1
        if !(distance <= worst.distance) { worst = (index, distance) }
    }
    if failures == 0 { return nil }
    let values = "\(a[worst.index]) instead of \(b[worst.index]) at \(position(worst.index, in: actual.shape))"
    return "\(failures) of \(a.count) values differ; the most: \(values), by \(worst.distance)"
}

private func position(_ index: Int, in shape: [Int]) -> [Int] {
    var rest = index
    return shape.reversed().map { size in
        defer { rest /= size }
        return rest % size
    }.reversed()
}

/// Expects every element of two tensors of the same shape to be close, after conversion to float64.
public func expectClose(
    _ actual: Tensor, _ expected: Tensor, _ tolerance: Tolerance, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let found = difference(actual, expected, tolerance) else { return }
    Issue.record(Comment(rawValue: (comment().map { "\($0.rawValue): " } ?? "") + found), sourceLocation: sourceLocation)
}

/// Expects the same element type, shape and bits.
public func expectSame(
    _ actual: Tensor, _ expected: Tensor, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual.dataType == expected.dataType, comment(), sourceLocation: sourceLocation)
    #expect(actual.shape == expected.shape, comment(), sourceLocation: sourceLocation)
    guard actual.bytes != expected.bytes else { return }
    expectClose(actual, expected, .exact, comment(), sourceLocation: sourceLocation)
    // Not inside the macro, which would print both.
    let isSame = actual.bytes == expected.bytes
    #expect(isSame, comment(), sourceLocation: sourceLocation)
}
