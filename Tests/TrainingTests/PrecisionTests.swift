import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

@Suite struct PrecisionTests {
    /// Half of the bits in the products, all of them in the weights.
    @Test(arguments: ["simclr", "byol"]) func bfloat16StaysFinite(_ method: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe(method)
            let exact = try wholeRun(recipe, images, "\(folder)/float32")
            recipe.training.precision = .bfloat16
            let mixed = try wholeRun(recipe, images, "\(folder)/bfloat16")
            #expect(exact["encoder.safetensors"] != mixed["encoder.safetensors"])
            let (a, b) = (try metrics("\(folder)/float32"), try metrics("\(folder)/bfloat16"))
            for (x, y) in zip(a, b) {
                #expect(y.values.allSatisfy { $0.isFinite })
                #expect(abs(x["loss"]! - y["loss"]!) < 0.1 * abs(x["loss"]!))
            }
            let state = try Encoder.load("\(folder)/bfloat16").stateDict
            #expect(state.values.allSatisfy { $0.dataType != .bfloat16 && $0.isFinite().all().item == 1 })
        }
    }

    @Test func float16NeedsAGPU() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("simclr")
            recipe.training.precision = .float16
            let error = #expect(throws: TrainingError.self) {
                try Trainer(recipe, dataset: images, folder: RunFolder(folder), options: tinyOptions())
            }
            #expect(error?.description.contains("training.precision float16 needs a GPU") == true)
            #expect(!RunFolder(folder).holdsRun)
        }
    }

    /// A step that overflowed is left out and halves the scale; 2,000 good ones double it; both survive a checkpoint.
    @Test func lossScale() {
        let scaler = LossScaler(.float16)
        let weight = Parameter(Tensor([Float(1), 2]))
        func step(_ gradient: Float) -> Bool {
            weight.value.gradient = Tensor([gradient, gradient])
            return scaler.unscale([weight])
        }
        #expect(scaler.scaled(Tensor(scalar: Float(2))).item == 131072)
        #expect(step(65536) && weight.value.gradient?.doubles == [1, 1])
        #expect(!step(.infinity) && scaler.scale == 32768)
        for _ in 0..<1999 { #expect(step(1)) }
        let copy = LossScaler(.float16)
        copy.load(scaler.state)
        #expect(copy.scale == 32768)
        weight.value.gradient = Tensor([Float(1), 1])
        #expect(copy.unscale([weight]) && copy.scale == 65536)
        #expect(LossScaler(.float32).state.isEmpty && LossScaler(.bfloat16).scaled(Tensor(scalar: Float(2))).item == 2)
    }
}
