/// Pretrains on the images at `path` and leaves everything in `folder`.
/// - Parameters:
///   - recipe: what to do; `DefaultRecipe.make` gives one that suits the images.
///   - methods: where the recipe's method is looked up; add your own: `.standard + [MethodEntry(Mine.self)]`.
/// - Returns: the encoder, in evaluation mode, or nil when `options.shouldStop` ended the run early.
/// - Throws: an error whose description is one line that says what to do.
@discardableResult
public func pretrain(
    _ path: String, recipe: Recipe, into folder: String, methods: MethodRegistry = .standard,
    options: Trainer.Options = Trainer.Options()
) throws -> Encoder? {
    var recipe = recipe
    recipe.data.path = path
    let trainer = try Trainer(
        recipe, dataset: recipe.data.open(methods.entry(named: recipe.method.name)), folder: RunFolder(folder), methods: methods,
        options: options)
    guard try trainer.run() == .finished else { return nil }
    return trainer.method.encoder
}
