/// A part of a network. Its parameters, buffers and sub-modules are its stored properties, found by reflection, so
/// declaring one is all there is to do; the property's name, in snake case, is its key in the state dict:
///
///     final class Head: Module {
///         let hidden = Linear(512, 128)        // hidden.weight, hidden.bias
///         let runningMean = Buffer(.zeros([128]))  // running_mean
///     }
///
/// Arrays, dictionaries and optionals of these are searched too (`blocks.0.conv1.weight`); tuples, structs and enums that
/// hold any are refused by a trap. The structure is read once,
/// at first use, and must not change afterwards. Computed and lazy properties are not looked at.
open class Module {
    /// Whether layers that behave differently in training (batch-norm, dropout) do so. Set it by `train()` and `eval()`.
    public private(set) final var isTraining = true

    public init() {}

    /// Children in the order of declaration, with their keys; what is below one of an empty key has no prefix. Containers override
    /// it.
    open var children: [(key: String, child: Module)] {
        structure.compactMap { key, value in (value as? Module).map { (key, $0) } }
    }

    private final lazy var structure: [(key: String, value: AnyObject)] = Reflection.leaves(of: self)

    /// Every parameter below, by its key, in the order of declaration; one that is shared comes once, by its first key.
    public final var namedParameters: [(key: String, parameter: Parameter)] { leaves(Parameter.self) }

    /// Every buffer below, by its key.
    public final var namedBuffers: [(key: String, buffer: Buffer)] { leaves(Buffer.self) }

    public final var parameters: [Parameter] { namedParameters.map(\.parameter) }

    /// The number of learned values.
    public final var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

    public final func train() { setTraining(true) }
    public final func eval() { setTraining(false) }

    private func setTraining(_ value: Bool) {
        isTraining = value
        for (_, child) in children { child.setTraining(value) }
    }

    /// Runs `body` in evaluation mode, and goes back to what it was.
    public final func evaluating<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let training = modules.map { ($0, $0.isTraining) }
        eval()
        defer { for (module, mode) in training { module.isTraining = mode } }
        return try body()
    }

    /// This module and all below it, depth first.
    public final var modules: [Module] { [self] + children.flatMap { $0.child.modules } }

    /// Freezes or thaws all parameters below.
    public final func setTrainable(_ trainable: Bool) {
        for parameter in parameters { parameter.isTrainable = trainable }
    }

    /// Clears all gradients.
    public final func clearGradients() {
        for parameter in parameters { parameter.value.gradient = nil }
    }

    /// Moves all parameters and buffers. Do it before an optimiser takes them.
    public final func move(to device: Device) {
        for parameter in parameters { parameter.move(to: device) }
        for (_, buffer) in namedBuffers { buffer.move(to: device) }
    }

    /// Converts all parameters and floating-point buffers; counters stay whole. Do it before an optimiser takes them.
    public final func convert(to type: DataType) {
        for parameter in parameters { parameter.convert(to: type) }
        for (_, buffer) in namedBuffers { buffer.convert(to: type) }
    }

    private func leaves<Leaf: AnyObject>(_ type: Leaf.Type) -> [(String, Leaf)] {
        var seen = Set<ObjectIdentifier>()
        var found: [(String, Leaf)] = []
        collect(prefix: "", &seen, &found)
        return found
    }

    private func collect<Leaf: AnyObject>(prefix: String, _ seen: inout Set<ObjectIdentifier>, _ found: inout [(String, Leaf)]) {
        for (key, value) in structure {
            if let leaf = value as? Leaf, seen.insert(ObjectIdentifier(leaf)).inserted { found.append((prefix + key, leaf)) }
        }
        for (key, child) in children { child.collect(prefix: key.isEmpty ? prefix : prefix + key + ".", &seen, &found) }
    }
}

/// Arrays of numbers, which may be long and hold no weights: a mirror of each element would take seconds.
private protocol PlainArray {}
extension Array: PlainArray where Element: TensorElement {}

/// The one place where Mirror is used: read-only, and only for `Parameter`, `Buffer`, `Module` and containers of them.
private enum Reflection {
    static func leaves(of module: Module) -> [(key: String, value: AnyObject)] {
        var mirrors: [Mirror] = []
        var mirror: Mirror? = Mirror(reflecting: module)
        while let current = mirror, current.subjectType != Module.self {
            mirrors.append(current)
            mirror = current.superclassMirror
        }
        var found: [(String, AnyObject)] = []
        for mirror in mirrors.reversed() {
            for (label, value) in mirror.children {
                guard let label, !label.hasPrefix("$") else { continue }
                collect(snakeCase(label), value, &found)
            }
        }
        return found
    }

    private static func collect(_ key: String, _ value: Any, _ found: inout [(String, AnyObject)]) {
        switch value {
        case let leaf as Parameter: found.append((key, leaf))
        case let leaf as Buffer: found.append((key, leaf))
        case let leaf as Module: found.append((key, leaf))
        case is any PlainArray: break
        default:
            let mirror = Mirror(reflecting: value)
            switch mirror.displayStyle {
            case .optional:
                if let some = mirror.children.first { collect(key, some.value, &found) }
            case .collection:
                for (index, element) in mirror.children.enumerated() { collect("\(key).\(index)", element.value, &found) }
            case .dictionary:
                let entries = mirror.children.map { Array(Mirror(reflecting: $0.value).children) }
                for entry in entries.sorted(by: { "\($0[0].value)" < "\($1[0].value)" }) {
                    collect("\(key).\(entry[0].value)", entry[1].value, &found)
                }
            // A tuple's elements have no stable names, a struct's would need rules of their own: neither may hide weights.
            case .tuple, .struct, .enum:
                if mirror.children.contains(where: { holdsWeights($0.value) }) {
                    fatalError(
                        "'\(key)' holds weights in a \(type(of: value)), where they are not found: declare them as properties of a Module")
                }
            default: break
            }
        }
    }

    private static func holdsWeights(_ value: Any) -> Bool {
        switch value {
        case is Parameter, is Buffer, is Module: return true
        case is any PlainArray, is String: return false
        default:
            let mirror = Mirror(reflecting: value)
            return mirror.displayStyle != .class && mirror.children.contains { holdsWeights($0.value) }
        }
    }

    /// `numBatchesTracked` → `num_batches_tracked`.
    static func snakeCase(_ name: String) -> String {
        var result = ""
        for character in name {
            if character.isUppercase, !result.isEmpty { result += "_" }
            result += character.lowercased()
        }
        return result
    }
}
