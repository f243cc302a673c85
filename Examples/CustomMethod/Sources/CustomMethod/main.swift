import Foundation
import Fovea

// Pretrains with a method that Fovea does not have, then embeds the same images with the encoder.
//
//     swift run -c release CustomMethod photos/ runs/mine 10
guard CommandLine.arguments.count >= 3 else {
    print("usage: CustomMethod <images> <folder for the run> [epochs]")
    exit(2)
}
let (images, folder) = (CommandLine.arguments[1], CommandLine.arguments[2])
let methods = MethodRegistry.standard + [MethodEntry(TripletMethod.self)]

do {
    var recipe = try DefaultRecipe.make(
        method: "triplet-example", for: DatasetSplits.open(images).train, epochs: CommandLine.arguments.dropFirst(3).first.flatMap { Int($0) } ?? 10,
        methods: methods)
    recipe.backbone.width = 16
    guard let encoder = try pretrain(images, recipe: recipe, into: folder, methods: methods) else { exit(130) }

    let embeddings = try encoder.embed(images)
    try embeddings.write(to: "\(folder)/embeddings.npy")
    print("\(embeddings.names.count) images of \(embeddings.matrix.size(1)) features each: \(folder)/embeddings.npy")
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
