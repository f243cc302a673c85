import Foundation
import Fovea
import Testing

@testable import Training

/// What is chosen for whoever names no method.
@Suite struct DefaultMethodTests {
    @Test(arguments: [
        (60, Device.cpu, "dcl"), (1279, .cpu, "dcl"), (1280, .cpu, "simclr"), (10_000, .cpu, "simclr"), (1_000_000, .cpu, "simclr"),
        (900, .cuda(0), "dcl"), (99_999, .cuda(0), "simclr"), (100_000, .cuda(0), "moco"),
    ])
    func suitsTheImagesAndTheDevice(_ images: Int, _ device: Device, _ name: String) throws {
        let chosen = DefaultRecipe.method(for: images, on: device)
        #expect(chosen.name == name)
        #expect(chosen.reason.count > 40 && !chosen.reason.contains("\n"))
        // The reason's batch is the recipe's.
        if name != "moco" {
            let recipe = try DefaultRecipe.make(method: chosen.name, for: Many(count: images))
            #expect(chosen.reason.contains("batches of \(recipe.training.batchSize)"))
        }
        #expect(try MethodRegistry.standard.entry(named: name).card.needsLabels == false)
    }

    private struct Many: ImageDataset {
        let count: Int
        let classNames: [String] = []
        func label(at index: Int) -> Int? { nil }
        func name(at index: Int) -> String { "\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            PixelImage(width: 32, height: 32, pixels: [UInt8](repeating: 9, count: 32 * 32 * 3))
        }
    }
}
