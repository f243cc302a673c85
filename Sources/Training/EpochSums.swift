internal import Methods
internal import Torch

/// Running sums of an epoch's losses and measures, kept on the device: adding waits for nothing.
struct EpochSums {
    private var names: [String] = []
    private var sums: [String: Tensor] = [:]
    /// Additions of each: a loss of one phase comes up less often than the total.
    private var counts: [String: Int] = [:]
    private var gradientNorms: [Double] = []

    /// - Parameter phase: the phase's name where a method has several, whose losses are then told apart.
    mutating func add(_ losses: Losses, phase: String? = nil) {
        let prefix = phase.map { "loss.\($0)" } ?? "loss"
        add("loss", losses.total)
        if phase != nil { add(prefix, losses.total) }
        if losses.parts.count > 1 { for (name, value) in losses.parts { add("\(prefix).\(name)", value) } }
        for (name, value) in losses.measures { add(name, value) }
    }

    mutating func add(gradientNorm: Double) { gradientNorms.append(gradientNorm) }

    private mutating func add(_ name: String, _ value: Tensor) {
        let value = value.detached().to(.float64)
        counts[name, default: 0] += 1
        if let sum = sums[name] {
            withoutGradients { sum.addInPlace(value) }
        } else {
            names.append(name)
            sums[name] = value.cloned()
        }
    }

    /// Means over the epoch, in the order in which the names came up.
    var means: [(name: String, value: Double?)] {
        names.map { name -> (name: String, value: Double?) in (name, sums[name]!.item / Double(counts[name]!)) }
            + [("gradient_norm", gradientNorms.isEmpty ? nil : gradientNorms.reduce(0, +) / Double(gradientNorms.count))]
    }

    /// False for good once a loss of the epoch was not a number.
    var isFinite: Bool { sums["loss"].map { $0.item.isFinite } ?? true }

    // For a checkpoint in mid-epoch.

    var state: StateDict {
        var state: StateDict = [:]
        for (index, name) in names.enumerated() { state["\(index).\(name)"] = sums[name]!.cloned() }
        state["counts"] = Tensor(names.map { counts[$0]! })
        state["gradient_norms"] = Tensor(gradientNorms)
        return state
    }

    init() {}

    init(_ state: StateDict, on device: Device) {
        let named = state.compactMap { key, tensor -> (Int, String, Tensor)? in
            guard let dot = key.firstIndex(of: "."), let index = Int(key[..<dot]) else { return nil }
            return (index, String(key[key.index(after: dot)...]), tensor)
        }
        let counted = state["counts"]?.ints ?? []
        for (index, name, tensor) in named.sorted(by: { $0.0 < $1.0 }) where counted.indices.contains(index) {
            names.append(name)
            sums[name] = tensor.to(device)
            counts[name] = counted[index]
        }
        gradientNorms = state["gradient_norms"]?.doubles ?? []
    }
}
