import Backbones
import Torch
import Views

@testable import Methods

/// A network of a few thousand weights.
func tinyContext(_ name: String = "resnet18", width: Int = 4, imageSize: Int = 16, classCount: Int = 5) -> MethodContext {
    MethodContext(
        backbone: BackboneSettings(name, width: width, stem: .small), imageSize: imageSize, sampleCount: 100, classCount: classCount)
}

/// Views of noise, which differ.
func noise(_ views: Int, _ count: Int, side: Int = 16, labels: [Int]? = nil) -> Batch {
    Batch(
        views: (0..<views).map { _ in (Tensor.rand([count, 3, side, side]) * 256).to(.uint8) }, indices: Tensor.arange(count),
        labels: Tensor(labels ?? (0..<count).map { $0 % 5 }))
}

let firstStep = Step(epoch: 0, index: 0, total: 10)

/// The message of the error that a body throws.
func message(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch { return "\(error)" }
}
