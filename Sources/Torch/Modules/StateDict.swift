/// Tensors by key, in a fixed order.
public typealias StateDict = [String: Tensor]

/// Weights that do not fit a module.
public struct StateDictMismatch: Error, Equatable, CustomStringConvertible, Sendable {
    public var missing: [String] = []
    public var unexpected: [String] = []
    /// Key, the module's shape, the given shape.
    public var misshapen: [Misshapen] = []

    public struct Misshapen: Equatable, Sendable {
        public let key: String
        public let expected: [Int]
        public let found: [Int]
    }

    public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty }

    public var description: String {
        var parts: [String] = []
        func list(_ what: String, _ keys: [String]) {
            guard !keys.isEmpty else { return }
            let more = keys.count > 3 ? ", … (\(keys.count) in all)" : ""
            parts.append("\(what) \(keys.prefix(3).joined(separator: ", "))\(more)")
        }
        list("missing", missing)
        list("unexpected", unexpected)
        list("misshapen", misshapen.map { "\($0.key) (\($0.found) for \($0.expected))" })
        return "the weights do not fit the network: " + parts.joined(separator: "; ")
    }
}

extension Module {
    /// All parameters and buffers by key; the tensors share the module's storage.
    public final var stateDict: StateDict {
        var state: StateDict = [:]
        for (key, parameter) in namedParameters { state[key] = parameter.value.detached() }
        for (key, buffer) in namedBuffers { state[key] = buffer.value }
        return state
    }

    /// Copies `state` into the module, all or nothing.
    /// - Parameter ignoring: says of a key, in the module or in `state`, that it may be absent from the other.
    /// - Throws: what is missing, unexpected or misshapen; the module is then untouched.
    public final func load(_ state: StateDict, ignoring: (String) -> Bool = { _ in false }) throws(StateDictMismatch) {
        let own = stateDict
        var mismatch = StateDictMismatch()
        for (key, tensor) in own.sorted(by: { $0.key < $1.key }) {
            if let given = state[key] {
                if given.shape != tensor.shape {
                    mismatch.misshapen.append(.init(key: key, expected: tensor.shape, found: given.shape))
                }
            } else if !ignoring(key) {
                mismatch.missing.append(key)
            }
        }
        mismatch.unexpected = state.keys.filter { own[$0] == nil && !ignoring($0) }.sorted()
        guard mismatch.isEmpty else { throw mismatch }
        withoutGradients {
            for (key, tensor) in own {
                if let given = state[key] { tensor.copyInPlace(given) }
            }
        }
    }
}
