/// A tensor operation that could not be carried out: almost always a caller's mistake (shapes that do not fit),
/// otherwise exhausted memory.
public struct TensorFailure: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        case outOfMemory
        case shape
        case other
    }

    public let kind: Kind
    /// ATen's name of the operation, such as `aten::matmul`.
    public let operation: String
    /// The operands as text: `float32 [2, 3] on cpu`.
    public let operands: [String]
    /// libtorch's own words.
    public let reason: String

    public var description: String {
        let on = operands.isEmpty ? "" : " on " + operands.joined(separator: ", ")
        switch kind {
        case .outOfMemory:
            return "out of memory in \(operation)\(on): a smaller batch or a smaller network needs less,"
                + " and a ResNet that is pretrained on the CPU with training.recompute=all"
        case .shape, .other: return "\(operation)\(on): \(reason)"
        }
    }
}

/// What happens when a tensor operation fails. Operations trap, so that mathematics needs no `try`; the one handler
/// is replaceable, and a command sets one that prints a single line and exits.
public enum TensorFailureHandler {
    // Set once at start-up, before any thread that could fail exists.
    nonisolated(unsafe) public static var handle: (TensorFailure) -> Never = { fatalError($0.description) }
}
