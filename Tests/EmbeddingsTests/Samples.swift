import Embeddings
import Torch

extension Features {
    /// A split of the reference file.
    static func reference(_ split: String) throws -> Features {
        let values = try References.tensors(split, "\(split).labels")
        return Features(matrix: values[0], labels: values[1].ints, classNames: (0..<7).map { "class \($0)" })
    }

    /// `perClass` rows of each class around centres `distance` apart in `width` dimensions.
    static func clouds(_ classes: Int, perClass: Int, width: Int = 8, distance: Double = 6, seed: UInt64) -> Features {
        let labels = (0..<classes * perClass).map { $0 % classes }
        let centres = normal(classes, width, seed: 1000) * (distance / 4)
        return Features(
            matrix: centres.rows(Tensor(labels)) + normal(labels.count, width, seed: seed), labels: labels,
            names: labels.indices.map { "\($0).png" }, classNames: (0..<classes).map { "c\($0)" })
    }
}
