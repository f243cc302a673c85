import Torch

/// The weights of generate.py's `backbones` and generate_backbones.py, which are too many to keep: made from the keys on both sides.
enum Formula {
    /// Values in −1 … 1, multiples of 2⁻²³: SplitMix64 of the position, seeded by FNV-1a of the key.
    static func values(_ key: String, _ count: Int) -> [Double] {
        let seed = key.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return (1...count).map { position in
            var z = seed &+ UInt64(position) &* 0x9e37_79b9_7f4a_7c15
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            z ^= z >> 31
            return Double(z >> 40) / Double(1 << 23) - 1
        }
    }

    static func tensor(_ key: String, _ shape: [Int], scale: Double = 1, shift: Double = 0) -> Tensor {
        Tensor(values(key, shape.reduce(1, *)).map { Float($0 * scale + shift) }, shape)
    }

    static func fill(_ module: Module) throws {
        var state: StateDict = [:]
        for (key, tensor) in module.stateDict {
            let shape = tensor.shape
            if key.hasSuffix("num_batches_tracked") {
                state[key] = Tensor(scalar: 3)
            } else if shape.count == 4 || shape.count == 2 {
                state[key] = self.tensor(key, shape, scale: (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot())
            } else if key.hasSuffix("running_var") || key.hasSuffix("weight") {
                state[key] = self.tensor(key, shape, scale: 0.5, shift: 1)
            } else {
                state[key] = self.tensor(key, shape, scale: 0.25)
            }
        }
        try module.load(state)
    }
}
