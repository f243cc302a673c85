internal import CTorch

/// An ATen operator, looked up once by its schema name and called with arguments in the schema's order; trailing
/// arguments may be left out when the schema has defaults for them.
///
///     static let softmax = Operation("softmax", "int")
///     Operation.softmax(x, 1)
///
/// Everything that libtorch can do is reachable this way; `Tensor`'s methods are the operations that have names here.
public struct Operation: Sendable {
    /// With the `aten::` prefix.
    public let name: String
    // An immortal c10::OperatorHandle, immutable and safe to call from every thread.
    nonisolated(unsafe) private let handle: ct_operation

    /// - Parameter overload: the part of the schema name after the dot (`add.Tensor` → `Tensor`).
    public init(_ name: String, _ overload: String = "") {
        self.name = "aten::\(name)"
        var found: ct_operation?
        guard ct_operation_find(self.name, overload, &found) == CT_OK, let found else {
            TensorFailureHandler.handle(
                TensorFailure(kind: .other, operation: self.name, operands: [], reason: String(cString: ct_message())))
        }
        handle = found
    }

    /// The one result of an operation that has one.
    @discardableResult
    public func callAsFunction(_ arguments: any OperationArgument...) -> Tensor {
        run(arguments)
        defer { ct_result_clear() }
        return result(0, arguments)
    }

    /// An operation that returns nothing (in-place `_foreach_…_` and `_fused_…_`).
    public func perform(_ arguments: any OperationArgument...) {
        run(arguments)
        ct_result_clear()
    }

    /// The results of an operation that returns a tuple of tensors.
    public func tuple(_ arguments: any OperationArgument...) -> [Tensor] {
        run(arguments)
        defer { ct_result_clear() }
        return (0..<ct_result_count()).map { result($0, arguments) }
    }

    /// The results of an operation that returns a list of tensors.
    public func list(_ arguments: any OperationArgument...) -> [Tensor] {
        run(arguments)
        defer { ct_result_clear() }
        guard ct_result_is_list(0) else { fail(.other, "its result is not a list of tensors", arguments) }
        return (0..<ct_result_list_count(0)).map { Tensor(ct_result_list_tensor(0, $0)) }
    }

    private func run(_ arguments: [any OperationArgument]) {
        for argument in arguments { argument.push() }
        let status = ct_call(handle)
        if status != CT_OK { fail(.init(status), String(cString: ct_message()), arguments) }
    }

    private func result(_ index: Int, _ arguments: [any OperationArgument]) -> Tensor {
        guard let handle = ct_result_tensor(index) else { fail(.other, "its result \(index) is not a tensor", arguments) }
        return Tensor(handle)
    }

    private func fail(_ kind: TensorFailure.Kind, _ reason: String, _ arguments: [any OperationArgument]) -> Never {
        let tensors = arguments.flatMap { ($0 as? Tensor).map { [$0] } ?? ($0 as? [Tensor?])?.compactMap { $0 } ?? [] }
        TensorFailureHandler.handle(
            TensorFailure(kind: kind, operation: name, operands: tensors.prefix(6).map(\.summary), reason: reason))
    }
}

extension TensorFailure.Kind {
    init(_ status: ct_status) {
        switch status {
        case CT_OUT_OF_MEMORY: self = .outOfMemory
        case CT_SHAPE: self = .shape
        default: self = .other
        }
    }
}

/// Runs a call of the shim that is not an operator, and traps with `operation`'s name when it fails.
func check(_ operation: String, _ operands: Tensor..., call: () -> ct_status) { check(operation, operands, call: call) }

func check(_ operation: String, _ operands: [Tensor], call: () -> ct_status) {
    let status = call()
    guard status != CT_OK else { return }
    let reason = String(cString: ct_message())
    TensorFailureHandler.handle(
        TensorFailure(kind: .init(status), operation: operation, operands: operands.prefix(6).map(\.summary), reason: reason))
}

/// A caller's mistake that is seen before libtorch is asked. Not `precondition`: optimised builds drop its message.
func require(_ holds: Bool, _ operation: String, _ operands: Tensor..., reason: @autoclosure () -> String) {
    if holds { return }
    TensorFailureHandler.handle(
        TensorFailure(kind: .shape, operation: operation, operands: operands.map(\.summary), reason: reason()))
}
