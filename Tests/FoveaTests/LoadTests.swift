import Foundation
import Fovea
import Testing
import TestSupport

/// Encoders from wherever they lie: the same weights, the same features.
@Suite struct LoadTests {
    @Test func fromFolderFileAndTrainer() throws {
        try withTemporaryFolder { folder in
            try writeImages(to: "\(folder)/images")
            let made = try #require(try pretrain("\(folder)/images", recipe: tinyRecipe(), into: "\(folder)/run", options: tinyOptions()))
            let (a, b) = (try Encoder.load("\(folder)/run"), try Encoder.load("\(folder)/run/encoder.safetensors"))
            #expect(!a.isTraining && a.settings == BackboneSettings("resnet18", width: 4, stem: .small) && a.imageSize == 16)
            let expected = try made.embed("\(folder)/images")
            for encoder in [a, b] { expectSame(try encoder.embed("\(folder)/images").matrix, expected.matrix) }
            // Weights of others, under published names.
            let bare = "\(folder)/bare.safetensors"
            try Safetensors.write(made.stateDict, to: bare)
            #expect(throws: EncoderFile.Unusable.self) { try Encoder.load(bare) }
            let named = try Encoder.load(bare, backbone: BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
            expectSame(try named.embed("\(folder)/images").matrix, expected.matrix)
        }
    }

    /// The online network of the last checkpoint, which the method itself names as its encoder.
    @Test func fromAnUnfinishedRun() throws {
        try withTemporaryFolder { folder in
            try writeImages(to: "\(folder)/images")
            var recipe = try tinyRecipe("byol")
            var settings = BYOL.Settings()
            (settings.hiddenWidth, settings.outputWidth) = (16, 8)
            recipe.method.settings = settings
            var asked = 0
            let stopped = try pretrain(
                "\(folder)/images", recipe: recipe, into: "\(folder)/run",
                options: tinyOptions {
                    asked += 1
                    return asked == 1
                })
            #expect(stopped == nil && !FileManager.default.fileExists(atPath: "\(folder)/run/encoder.safetensors"))
            let early = try Encoder.load("\(folder)/run")
            #expect(!early.isTraining)
            let state = try Safetensors.read("\(folder)/run/checkpoints/last.safetensors").tensors
            #expect(early.stateDict.count > 100)
            for (key, tensor) in early.stateDict {
                expectSame(tensor, state["method.online.encoder.\(key)"]!)
                if key == "conv1.weight" { #expect(tensor.bytes != state["method.target.encoder.\(key)"]!.bytes) }
            }
        }
    }

    @Test func whatIsNoEncoder() throws {
        try withTemporaryFolder { folder in
            let missing = #expect(throws: FileError.self) { try Encoder.load("\(folder)/none") }
            #expect(missing?.description.contains("\(folder)/none: check the path") == true)
            let empty = #expect(throws: FileError.self) { try Encoder.load(folder) }
            #expect(empty?.description.contains("\(folder) holds no run") == true)
            try writeImages(20, to: "\(folder)/images")
            var recipe = try tinyRecipe()
            recipe.data.path = "\(folder)/images"
            _ = try Trainer(
                recipe, dataset: DatasetSplits.open("\(folder)/images").train, folder: RunFolder("\(folder)/run"), options: tinyOptions())
            let young = #expect(throws: TrainingError.self) { try Encoder.load("\(folder)/run") }
            #expect(young?.description.contains("has no encoder yet") == true)
            try AtomicFile.write([UInt8](repeating: 7, count: 100), to: "\(folder)/run/checkpoints/last.safetensors")
            let damaged = #expect(throws: (any Error).self) { try Encoder.load("\(folder)/run") }
            #expect(damaged.map { "\($0)" }?.contains("damaged") == true)
        }
    }

    /// A program's own method, found by name in its registry, before and after its run has ended.
    @Test func ownMethod() throws {
        let methods = MethodRegistry.standard + [MethodEntry(Brightness.self)]
        try withTemporaryFolder { folder in
            try writeImages(to: "\(folder)/images")
            var recipe = try tinyRecipe("brightness", methods)
            recipe.method.settings = Brightness.Settings(scale: 2)
            let made = try #require(
                try pretrain("\(folder)/images", recipe: recipe, into: "\(folder)/run", methods: methods, options: tinyOptions()))
            expectSame(try Encoder.load("\(folder)/run").stateDict["conv1.weight"]!, made.stateDict["conv1.weight"]!)
            let text = try String(contentsOfFile: "\(folder)/run/recipe.yaml", encoding: .utf8)
            #expect(text.contains("name: brightness") && text.contains("scale: 2"))
            #expect(try RecipeFile(methods: methods).read("\(folder)/run/recipe.yaml").method == recipe.method)
            try FileManager.default.removeItem(atPath: "\(folder)/run/encoder.safetensors")
            #expect(throws: (any Error).self) { try Encoder.load("\(folder)/run") }
            expectSame(try Encoder.load("\(folder)/run", methods: methods).stateDict["conv1.weight"]!, made.stateDict["conv1.weight"]!)
        }
    }
}
