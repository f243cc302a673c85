import TestSupport
import Torch

/// The values that Tests/ReferenceValues/generate_embeddings.py computed with other libraries.
enum References {
    private static func load() throws -> StateDict {
        try ["embeddings", "evaluation"].map { try ReferenceValues.load($0).tensors }.reduce(into: [:]) { all, more in
            all.merge(more) { _, _ in fatalError("a name occurs in both sections") }
        }
    }

    static func tensors(_ names: String...) throws -> [Tensor] {
        let all = try load()
        return names.map { all[$0]! }
    }

    static func tensor(_ name: String) throws -> Tensor { try tensors(name)[0] }
}

/// The largest |a − b|.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Double {
    precondition(a.shape == b.shape, "\(a.summary) and \(b.summary)")
    return (a.to(.float64) - b.to(.float64)).abs().max().item
}
