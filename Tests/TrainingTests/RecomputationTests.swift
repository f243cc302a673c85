import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// `training.recompute`: the memory of a run, and nothing else of it.
@Suite struct RecomputationTests {
    /// Sixteen channels of 64 × 64 pixels in 128 views take 32 MB: the stem's are made quickly, the first stage has four.
    @Test func memoryChangesAndResultsDoNot() async {
        await #expect(processExitsWith: .success) {
            Runtime.prepare()
            let images = try TinyImages(64, side: 64)
            try withTemporaryFolder { folder in
                var recipe = try tinyRecipe("simclr")
                recipe.backbone = BackboneSettings("resnet18", width: 16, stem: .small)
                recipe.data.imageSize = 64
                recipe.training.epochs = 1
                recipe.training.batchSize = 64
                recipe.monitoring.healthImages = 0
                recipe.monitoring.knnEveryEpochs = 0
                var peaks: [Int] = []
                // The peak only grows: those that take less come first.
                let encoders = try [Recomputation.all, nil, Recomputation.none].map { recomputation in
                    recipe.training.recompute = recomputation
                    let files = try wholeRun(recipe, images, "\(folder)/\(recomputation?.rawValue ?? "nil")")
                    peaks.append(Runtime.largeTensorMemory.peak >> 20)
                    return files["encoder.safetensors"]
                }
                if encoders[0] == nil || Set(encoders).count != 1 { fatalError("another encoder") }
                if peaks[1] < peaks[0] + 128 || peaks[2] < peaks[1] + 32 { fatalError("peaks of \(peaks) MB") }
            }
        }
    }
}
