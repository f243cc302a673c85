import ArgumentParser
import Fovea

struct Recipes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the recipes and where their values come from.")

    func run() throws {
        var table = TextTable(["recipe", "method", "backbone", "provenance"])
        for name in try RecipeLibrary.names() {
            let recipe = try RecipeFile().read(try RecipeLibrary.locate(name))
            table.append([name, recipe.method.name, recipe.backbone.name, recipe.provenance])
        }
        print(table.forOutput())
    }
}
