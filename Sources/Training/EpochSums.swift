internal import Methods
internal import Torch

/// Running sums of an epoch's losses and measures, kept on the device: adding waits for nothing.
struct EpochSums {
    private var names: [String] = []
    private var sums: [String: Tensor] = [:]
    private var count = 0
    private var gradientNorms: [Double] = []

    mutating func add(_ losses: Losses) {
        add("loss", losses.total)
        if losses.parts.count > 1 { for (name, value) in losses.parts { add("loss.\(name)", value) } }
        for (name, value) in losses.measures { add(name, value) }
        count += 1
    }

    mutating func add(gradientNorm: Double) { gradientNorms.append(gradientNorm) }

    private mutating func add(_ name: String, _ value: Tensor) {
        let value = value.detached().to(.float64)
        if let sum = sums[name] {
            withoutGradients { sum.addInPlace(value) }
        } else {
            names.append(name)
            sums[name] = value.cloned()
        }
    }

    /// Means over the epoch, in the order in which the names came up.
    var means: [(name: String, value: Double?)] {
        names.map { name -> (name: String, value: Double?) in (name, sums[name]!.item / Double(max(count, 1))) }
            + [("gradient_norm", gradientNorms.isEmpty ? nil : gradientNorms.reduce(0, +) / Double(gradientNorms.count))]
    }

    /// Whether every sum is a number: false for good once a loss was not.
    var isFinite: Bool { sums.values.allSatisfy { $0.item.isFinite } }

    // For a checkpoint in mid-epoch.

    var state: StateDict {
        var state: StateDict = [:]
        for (index, name) in names.enumerated() { state["\(index).\(name)"] = sums[name]!.cloned() }
        state["count"] = Tensor(scalar: count)
        state["gradient_norms"] = Tensor(gradientNorms)
        return state
    }

    init() {}

    init(_ state: StateDict, on device: Device) {
        let named = state.compactMap { key, tensor -> (Int, String, Tensor)? in
            guard let dot = key.firstIndex(of: "."), let index = Int(key[..<dot]) else { return nil }
            return (index, String(key[key.index(after: dot)...]), tensor)
        }
        for (_, name, tensor) in named.sorted(by: { $0.0 < $1.0 }) {
            names.append(name)
            sums[name] = tensor.to(device)
        }
        count = state["count"].map { Int($0.item) } ?? 0
        gradientNorms = state["gradient_norms"]?.doubles ?? []
    }
}
