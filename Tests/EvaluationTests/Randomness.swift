import Embeddings
import Foundation
import Torch

/// Standard normal values [rows, columns] that are the same on every machine.
func normal(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var random = SplitMix64(seed: seed)
    let values = (0..<rows * columns).map { _ in
        Float((-2 * log(1 - random.uniform())).squareRoot() * cos(2 * .pi * random.uniform()))
    }
    return Tensor(values, [rows, columns])
}

/// As text, to compare errors.
func message(_ body: () throws -> Void) -> FeatureError? {
    do {
        try body()
        return nil
    } catch {
        return error as? FeatureError
    }
}
