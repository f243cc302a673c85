/// Parameters that are stepped alike.
public struct ParameterGroup {
    public var parameters: [Parameter]
    /// Multiplies the step's learning rate.
    public var learningRateScale: Double
    public var weightDecay: Double
    /// Whether a layer-wise optimiser (LARS, LAMB) adapts the rate of these; biases and norms are left out.
    public var isAdapted: Bool

    public init(_ parameters: [Parameter], learningRateScale: Double = 1, weightDecay: Double = 0, isAdapted: Bool = true) {
        self.parameters = parameters
        self.learningRateScale = learningRateScale
        self.weightDecay = weightDecay
        self.isAdapted = isAdapted
    }
}

extension Module {
    /// Two groups: matrices and kernels, with weight decay; vectors (biases, norms), without it and not adapted. What
    /// every paper since SimCLR does, and what You et al. 2017 did for LARS.
    public final func parameterGroups(weightDecay: Double, decayingVectors: Bool = false, learningRateScale: Double = 1) -> [ParameterGroup]
    {
        parameters.groups(weightDecay: weightDecay, decayingVectors: decayingVectors, learningRateScale: learningRateScale)
    }
}

extension [Parameter] {
    /// As `Module.parameterGroups`, of some of a module's parameters.
    public func groups(weightDecay: Double, decayingVectors: Bool = false, learningRateScale: Double = 1) -> [ParameterGroup] {
        let all = filter(\.isTrainable)
        let groups = [
            ParameterGroup(all.filter { $0.value.rank > 1 }, learningRateScale: learningRateScale, weightDecay: weightDecay),
            ParameterGroup(
                all.filter { $0.value.rank <= 1 }, learningRateScale: learningRateScale,
                weightDecay: decayingVectors ? weightDecay : 0, isAdapted: false),
        ]
        return groups.filter { !$0.parameters.isEmpty }
    }
}

/// Changes parameters by their gradients. Parameters without a gradient are left alone.
public protocol Optimizer: AnyObject {
    /// Weight decay may be changed between steps.
    var groups: [ParameterGroup] { get set }
    /// One step at the given learning rate, times each group's scale.
    func step(learningRate: Double)
    /// Everything that the next step depends on besides the parameters, for a checkpoint.
    var state: StateDict { get }
    /// Goes on from a saved state.
    /// - Throws: when it is not the state of these parameters.
    func load(_ state: StateDict) throws(StateDictMismatch)
    /// Forgets what it knows of these parameters, whose values have begun anew.
    func forget(_ parameters: [Parameter])
}

extension Optimizer {
    public var parameters: [Parameter] { groups.flatMap(\.parameters) }

    public func clearGradients() {
        for parameter in parameters { parameter.value.gradient = nil }
    }
}

/// Per-parameter tensors of an optimiser, made when the parameter first has a gradient.
final class Slots {
    private let names: [String]
    private var tensors: [ObjectIdentifier: [Tensor]] = [:]

    init(_ names: String...) { self.names = names }

    /// The tensors of the parameters, a list for each name; zeros of the parameter's shape at first. `isNew` says which
    /// parameters had none.
    func lists(for parameters: [Parameter], scalar: Set<String> = []) -> (lists: [[Tensor]], isNew: [Bool]) {
        var lists = [[Tensor]](repeating: [], count: names.count)
        var isNew: [Bool] = []
        for parameter in parameters {
            let id = ObjectIdentifier(parameter)
            isNew.append(tensors[id] == nil)
            let own =
                tensors[id]
                ?? names.map {
                    scalar.contains($0) ? Tensor.zeros([], on: parameter.value.device) : parameter.value.detached().zerosLike()
                }
            tensors[id] = own
            for (index, tensor) in own.enumerated() { lists[index].append(tensor) }
        }
        return (lists, isNew)
    }

    func forget(_ parameters: [Parameter]) {
        for parameter in parameters { tensors[ObjectIdentifier(parameter)] = nil }
    }

    /// `3.momentum`: by the parameter's position among all.
    func state(of parameters: [Parameter]) -> StateDict {
        var state: StateDict = [:]
        for (index, parameter) in parameters.enumerated() {
            guard let own = tensors[ObjectIdentifier(parameter)] else { continue }
            for (name, tensor) in zip(names, own) { state["\(index).\(name)"] = tensor }
        }
        return state
    }

    func load(_ state: StateDict, of parameters: [Parameter], scalar: Set<String> = []) throws(StateDictMismatch) {
        var mismatch = StateDictMismatch()
        var left = Set(state.keys)
        var loaded: [ObjectIdentifier: [Tensor]] = [:]
        for (index, parameter) in parameters.enumerated() {
            let keys = names.map { "\(index).\($0)" }
            let given = keys.compactMap { state[$0] }
            left.subtract(keys)
            if given.isEmpty { continue }
            if given.count < names.count {
                mismatch.missing += keys.filter { state[$0] == nil }
                continue
            }
            var own: [Tensor] = []
            for (name, tensor) in zip(names, given) {
                let expected = scalar.contains(name) ? [] : parameter.value.shape
                if tensor.shape != expected {
                    mismatch.misshapen.append(.init(key: "\(index).\(name)", expected: expected, found: tensor.shape))
                }
                // The parameter's memory layout, so that the resumed arithmetic is the uninterrupted one.
                let slot = expected.isEmpty ? tensor.cloned() : parameter.value.detached().zerosLike()
                if tensor.shape == expected, !expected.isEmpty { slot.copyInPlace(tensor) }
                own.append(slot.to(parameter.value.device))
            }
            loaded[ObjectIdentifier(parameter)] = own
        }
        mismatch.unexpected = left.sorted()
        guard mismatch.isEmpty else { throw mismatch }
        tensors = loaded
    }
}

extension ParameterGroup {
    /// The parameters that have a gradient, and the gradients.
    var withGradients: (parameters: [Parameter], values: [Tensor], gradients: [Tensor]) {
        var parameters: [Parameter] = []
        var values: [Tensor] = []
        var gradients: [Tensor] = []
        for parameter in self.parameters {
            guard let gradient = parameter.value.gradient else { continue }
            parameters.append(parameter)
            values.append(parameter.value.detached())
            gradients.append(gradient)
        }
        return (parameters, values, gradients)
    }
}
