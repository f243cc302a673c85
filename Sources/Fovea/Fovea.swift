/// Fovea's public face: `import Fovea` gives everything that a program needs to pretrain, evaluate and use encoders.
///
///     let encoder = try Encoder.load("runs/photos")
///     let features = try encoder.embed("photos/")           // one row per image, and the rows' names
///
///     let methods = MethodRegistry.standard + [MethodEntry(Mine.self)]
///     let images = try DatasetSplits.open("photos/").train
///     let recipe = try DefaultRecipe.make(method: "mine", for: images, methods: methods)
///     let mine = try pretrain("photos/", recipe: recipe, into: "runs/mine", methods: methods)   // an Encoder
@_exported public import Backbones
@_exported public import Embeddings
@_exported public import Evaluation
@_exported public import Files
@_exported public import Methods
@_exported public import Reporting
@_exported public import Torch
@_exported public import Training
@_exported public import Views
