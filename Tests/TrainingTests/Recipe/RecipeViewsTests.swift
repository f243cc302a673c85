import Fovea
import TestSupport
import Testing

@testable import Training

/// A recipe's own views: as many as the method sees, and of sizes that it can see together.
@Suite struct RecipeViewsTests {
    private func view(_ name: String = "view", size: Int = 32, copies: Int = 1) -> String {
        "- {name: \(name), size: \(size), copies: \(copies), augmentations: [{resize: {}}]}"
    }

    /// What is said of a recipe with these views; nil when it is taken.
    private func refusal(_ method: String, _ views: [String], _ settings: String = "") throws -> String? {
        do {
            let text = "method: {name: \(method)\(settings)}\ndata: {imageSize: 32}\nviews:\n\(views.joined(separator: "\n"))\n"
            let recipe = try RecipeFile().parse(text, source: "the test")
            let entry = try MethodRegistry.standard.entry(named: method)
            _ = try entry.views(recipe.method.settings, imageSize: 32, replacing: recipe.views)
            return nil
        } catch let error as SettingsError { return error.description } catch let error as RecipeError { return error.description }
    }

    /// Every method that sees a fixed number of views refuses one less and one more.
    @Test(arguments: MethodRegistry.standard.entries.map(\.card.name).filter { $0 != "supcon" })
    func oneViewTooFewOrTooMany(_ method: String) throws {
        let entry = try MethodRegistry.standard.entry(named: method)
        let usual = try entry.views(entry.settings.init(), imageSize: 32)
        // What is completed to tiles or clips takes one view.
        guard let own = usual as? ViewRecipe else { return }
        let count = own.outputs.filter { $0.imageSize != nil }.count
        for wrong in [count - 1, count + 1] where wrong > 0 {
            let told = try #require(try refusal(method, [view(copies: wrong)]), "\(method) takes \(wrong) views")
            #expect(
                told.contains("the recipe has \(wrong)") && told.contains("sees \(count)") && told.contains("leave them out"), "\(told)")
        }
    }

    @Test func severalPositivesAreWelcomeWhereTheLossKnowsThem() throws {
        for copies in [2, 3, 16] { #expect(try refusal("supcon", [view(copies: copies)]) == nil) }
        for copies in [1, 17] { #expect(try refusal("supcon", [view(copies: copies)])?.contains("2 to 16") == true) }
    }

    @Test func settingsSayHowManyViewsThereAre() throws {
        #expect(try refusal("w_mse", [view(copies: 2)]) == nil)
        #expect(try refusal("w_mse", [view(copies: 2)], ", viewCount: 4")?.contains("sees 4") == true)
        #expect(try refusal("w_mse", [view(copies: 4)], ", viewCount: 4") == nil)
        let crops = [view("large", copies: 2), view("small", size: 16, copies: 3)]
        #expect(try refusal("swav", crops, ", smallViews: 3") == nil)
        #expect(try refusal("swav", crops, ", smallViews: 0")?.contains("the recipe has 5") == true)
    }

    @Test func sizesThatCannotBeSeenTogether() throws {
        for method in ["simclr", "byol", "vicreg"] {
            let told = try refusal(method, [view("a"), view("b", size: 16)])
            #expect(told?.contains("'a' and 'b' must be of one size") == true, "\(told ?? "taken")")
        }
        // The small ones first.
        let told = try refusal("swav", [view("small", size: 16, copies: 3), view("large", copies: 2)], ", smallViews: 3")
        #expect(told?.contains("must be of one size") == true)
    }

    @Test func everyShippedRecipeHasTheViewsOfItsMethod() throws {
        for name in ShippedRecipes.names {
            let recipe = try RecipeFile().read(ShippedRecipes.path(name))
            let entry = try MethodRegistry.standard.entry(named: recipe.method.name)
            #expect(throws: Never.self, "\(name)") {
                try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: recipe.views)
            }
        }
    }

    /// A change that would be written into the run's recipe and do nothing.
    @Test func aChangeThatTheRecipesOwnViewsHide() throws {
        func told(_ changes: String...) -> String? {
            do {
                _ = try RecipeFile().read(ShippedRecipes.path("simclr/cifar10-lightly"), changes: changes)
                return nil
            } catch { return "\(error)" }
        }
        #expect(told("method.jitterStrength=0.1")?.contains("'method.jitterStrength=0.1' changes views that the method makes") == true)
        #expect(told("views=null", "method.jitterStrength=0.1") == nil)
        #expect(told("method.temperature=0.3", "method.outputWidth=32") == nil)
    }
}
