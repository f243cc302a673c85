import Foundation
import Fovea
import Testing
import TestSupport

@testable import Fovea

@Suite(.serialized) struct SweepTests {
    private func measure(_ calls: @escaping () -> Void = {}) -> (Encoder) throws -> EvaluationResult {
        { encoder in
            calls()
            let sum = encoder.stateDict.values.reduce(0) { $0 + $1.to(.float64).sum().item }
            return EvaluationResult(encoder: "encoder", protocolName: "linear", value: 0.5 + 0.01 * sin(sum))
        }
    }

    private func base(_ folder: String) throws -> Recipe {
        try writeImages(32, to: "\(folder)/images")
        var recipe = try tinyRecipe()
        recipe.data.path = "\(folder)/images"
        recipe.training.epochs = 1
        return recipe
    }

    @Test func everyCombinationIsARunAndNoneIsDoneTwice() throws {
        try withTemporaryFolder { folder in
            let base = try base(folder)
            let axes = [try Sweep.axis("training.batchSize=8,16"), try Sweep.axis("method.temperature=0.1,0.5")]
            var sweep = try Sweep(axes, folder: "\(folder)/sweep")
            sweep.options = tinyOptions()
            var calls = 0
            // Broken off after the first run.
            sweep.options.shouldStop = { calls >= 1 }
            guard case .interrupted(let first) = try sweep(base, measured: "linear top-1", measure { calls += 1 }) else {
                Issue.record("it was not interrupted")
                return
            }
            #expect(first.rows.count == 1 && first.runs == 4)
            sweep.options.shouldStop = { false }
            guard case .finished(let table) = try sweep(base, measured: "linear top-1", measure { calls += 1 }) else {
                Issue.record("it was not finished")
                return
            }
            #expect(calls == 4)
            #expect(table.rows.map(\.values) == [["8", "0.1"], ["8", "0.5"], ["16", "0.1"], ["16", "0.5"]])
            #expect(table.rows[0] == first.rows[0])
            // Other settings are other runs.
            #expect(Set(table.rows.map(\.result.value)).count == 4)
            let recipe = try RecipeFile().read("\(folder)/sweep/\(table.rows[3].run)/recipe.yaml")
            #expect(recipe.training.batchSize == 16 && (recipe.method.settings as? SimCLR.Settings)?.temperature == 0.5)
            guard case .finished(let again) = try sweep(base, measured: "linear top-1", measure { calls += 1 }) else { return }
            #expect(again == table && calls == 4)
            let lines = try String(contentsOfFile: "\(folder)/sweep/evaluation/sweep.csv", encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 5)
            // The report has the map, with a number in every cell.
            let html = try RunReport.html(runFolder: URL(fileURLWithPath: "\(folder)/sweep"))
            #expect(html.contains("training.batchSize down, method.temperature across"))

            // The same folder for something else.
            var other = base
            other.training.weightDecay = 0.1
            let error = #expect(throws: RecipeError.self) { _ = try sweep(other, measured: "linear top-1", measure()) }
            #expect(error?.description.contains("another --out") == true)
            var grid = try Sweep([Sweep.axis("training.batchSize=8,16")], folder: "\(folder)/sweep")
            grid.options = tinyOptions()
            #expect(throws: RecipeError.self) { _ = try grid(base, measured: "linear top-1", measure()) }
        }
    }

    @Test func numbersOfOtherImagesAreAnotherSweep() throws {
        try withTemporaryFolder { folder in
            let base = try base(folder)
            var sweep = try Sweep([Sweep.axis("training.epochs=1")], folder: "\(folder)/sweep")
            sweep.options = tinyOptions()
            _ = try sweep(base, measured: "linear top-1", on: "--data a", measure())
            var calls = 0
            _ = try sweep(base, measured: "linear top-1", on: "--data a", measure { calls += 1 })
            #expect(calls == 0)
            let error = #expect(throws: RecipeError.self) {
                _ = try sweep(base, measured: "linear top-1", on: "--data a --limit 20", measure { calls += 1 })
            }
            for words in ["\(folder)/sweep", "'--data a'", "'--data a --limit 20'", "another --out"] {
                #expect(error?.description.contains(words) == true, "\(words)")
            }
            #expect(calls == 0)
        }
    }

    /// The others go on, and it is not tried again.
    @Test func aRunThatDivergesIsLeftOut() throws {
        try withTemporaryFolder { folder in
            let methods = MethodRegistry.standard + [MethodEntry(Brightness.self)]
            try writeImages(32, to: "\(folder)/images")
            var base = try tinyRecipe("brightness", methods)
            base.data.path = "\(folder)/images"
            base.training.epochs = 1
            // The loss squares it.
            var sweep = try Sweep([Sweep.axis("method.scale=1e30,1.0"), Sweep.axis("training.epochs=1")], folder: "\(folder)/sweep")
            sweep.options = tinyOptions()
            sweep.methods = methods
            for _ in 0..<2 {
                guard case .finished(let table) = try sweep(base, measured: "linear top-1", measure()) else {
                    Issue.record("it was not finished")
                    return
                }
                #expect(table.rows.map(\.values) == [["1.0", "1"]])
                let diverged = try #require(table.diverged)
                #expect(diverged.count == 1 && diverged[0].values == ["1e30", "1"] && diverged[0].reason.contains("no longer finite"))
                #expect(table.text.contains("1 of 2 runs diverged") && !table.text.contains("are done"))
                #expect(table.heatMaps[0].values[0] == [nil])
            }
            let html = try RunReport.html(runFolder: URL(fileURLWithPath: "\(folder)/sweep"))
            #expect(html.contains("1 of 2 runs diverged: method.scale=1e30 training.epochs=1 seed \(base.training.seed)."))
        }
    }

    @Test func seedsAreRunsOfTheirOwnAndTheMapHasTheirMean() throws {
        try withTemporaryFolder { folder in
            var sweep = try Sweep([Sweep.axis("training.epochs=1")], folder: "\(folder)/sweep")
            sweep.options = tinyOptions()
            sweep.seeds = 2
            guard case .finished(let table) = try sweep(base(folder), measured: "linear top-1", measure()) else { return }
            #expect(table.rows.map(\.seed) == [0, 1] && table.rows[0].result != table.rows[1].result)
            #expect(abs(table.value(at: ["1"])! - (table.rows[0].result.value + table.rows[1].result.value) / 2) < 1e-12)
            #expect(table.value(at: ["2"]) == nil && table.heatMaps.isEmpty)
        }
    }

    @Test func compositionsCropBothViewsAndAugmentOne() throws {
        let recipe = try tinyRecipe()
        let sweep = try Sweep(Sweep.compositions(["crop", "colorJitter", "grayscale"], of: recipe), folder: "nowhere")
        let cells = try sweep.cells(of: recipe)
        #expect(cells.count == 9 && Set(cells.map(\.name)).count == 9)
        func names(_ row: String, _ column: String) -> [[String]] {
            cells.first { $0.labels == [row, column] }!.recipe.views!.views.map { $0.augmentations.map(\.name) }
        }
        #expect(names("crop", "crop") == [["randomResizedCrop"], ["randomResizedCrop"]])
        #expect(names("colorJitter", "colorJitter") == [["randomResizedCrop"], ["randomResizedCrop", "colorJitter"]])
        #expect(names("grayscale", "colorJitter") == [["randomResizedCrop"], ["randomResizedCrop", "colorJitter", "grayscale"]])
        #expect(names("crop", "grayscale") == names("grayscale", "grayscale"))
    }

    @Test func leavingOutKeepsAllTheOthers() throws {
        let recipe = try tinyRecipe()
        let sweep = try Sweep([Sweep.omissions(of: recipe), Sweep.axis("training.epochs=1,2")], folder: "nowhere")
        let cells = try sweep.cells(of: recipe)
        let labels = ["all", "no horizontalFlip", "no colorJitter", "no grayscale"]
        #expect(cells.map { $0.labels[0] } == labels.flatMap { [$0, $0] })
        let views = cells.map { $0.recipe.views?.views.map { $0.augmentations.map(\.name) } }
        #expect(views[0] == nil && views[4] == [["randomResizedCrop", "horizontalFlip", "grayscale"]])
        #expect(cells.map(\.recipe.training.epochs) == [1, 2, 1, 2, 1, 2, 1, 2])
    }

    @Test func badGridsAreRefusedInOneLine() throws {
        let recipe = try tinyRecipe()
        let rotations = try tinyRecipe("rotnet")
        let tries: [(String, () throws -> Void)] = [
            ("key=value", { _ = try Sweep.axis("training.epochs") }), ("empty", { _ = try Sweep.axis("training.epochs=1,,2") }),
            ("different values", { _ = try Sweep([Sweep.axis("training.epochs=1,1")], folder: "x") }),
            ("twice", { _ = try Sweep([Sweep.axis("training.epochs=1"), Sweep.axis("training.epochs=2")], folder: "x") }),
            ("needs a grid", { _ = try Sweep([], folder: "x") }),
            ("did you mean 'epochs'", { _ = try Sweep([Sweep.axis("training.epoch=1,2")], folder: "x").cells(of: recipe) }),
            ("--compose blur", { _ = try Sweep.compositions(["blur"], of: recipe) }),
            ("does not begin with a randomResizedCrop", { _ = try Sweep.omissions(of: rotations) }),
        ]
        for (part, body) in tries {
            do {
                try body()
                Issue.record("\(part): nothing was refused")
            } catch {
                #expect("\(error)".contains(part) && !"\(error)".contains("\n"), "\(error)")
            }
        }
        #expect(try Sweep.axis("a.b=[1, 2],{c: 1, d: 2},x").values.map(\.label) == ["[1, 2]", "{c: 1, d: 2}", "x"])
    }
}
