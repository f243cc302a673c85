public import Backbones
internal import Foundation
public import Methods
internal import Torch

extension RunFolder {
    /// The encoder of an unfinished run, from a checkpoint.
    /// - Throws: `TrainingError` when there is none, or it does not fit the recipe.
    public func encoderOfCheckpoint(_ name: String = "last", methods: MethodRegistry = .standard) throws -> Encoder {
        let path = checkpoint(name)
        guard FileManager.default.fileExists(atPath: path) else {
            throw TrainingError("\(self.path) has no encoder yet: let the run go on by `fovea pretrain --resume \(self.path)`")
        }
        let recipe = try RecipeFile(methods: methods).read(recipe)
        // The method itself says which of its networks is the encoder.
        let checkpoint = try Checkpoint.read(path)
        let method = try methods.entry(named: recipe.method.name).make(
            recipe.method.settings,
            MethodContext(
                backbone: recipe.backbone, input: recipe.data.input, imageSize: recipe.data.imageSize,
                sampleCount: checkpoint.position.sampleCount, classCount: checkpoint.position.classCount))
        do {
            try method.load(checkpoint.state("method."))
        } catch {
            throw TrainingError("the checkpoint \(path) is not one of its recipe: \(error)")
        }
        method.encoder.eval()
        return method.encoder
    }
}
