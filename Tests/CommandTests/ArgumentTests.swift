import Foundation
import Fovea
import Testing
import TestSupport

/// The command line before anything is done, and what is printed for people and for pipes.
@Suite struct ArgumentTests {
    /// What a shell makes of a variable that is not set.
    @Test func emptyArguments() throws {
        let (run, images) = (Fixtures.run, Fixtures.images)
        let cases: [(arguments: [String], name: String)] = [
            (["pretrain", images, "--out", ""], "--out is empty"), (["pretrain", images, "--out="], "--out is empty"),
            (["pretrain", ""], "argument 2 is empty"), (["pretrain", "--data", " "], "--data is empty"),
            (["pretrain", "--resume", ""], "--resume is empty"), (["demo", "--out", ""], "--out is empty"),
            (["demo", "--data", ""], "--data is empty"), (["evaluate", run, "--data", ""], "--data is empty"),
            (["evaluate", "", "--data", images], "argument 2 is empty"), (["embed", run, "", "--out", "a.npy"], "argument 3 is empty"),
            (["embed", run, images, "--out", ""], "--out is empty"), (["report", ""], "argument 2 is empty"),
        ]
        for (arguments, name) in cases { try Executable.run(arguments).expectRefusal(name, "shell variable") }
    }

    @Test func negativeNumbers() throws {
        func refused(_ option: String, _ value: String, as words: String) throws {
            let outcome = try Executable.run(["pretrain", Fixtures.images, "--out", "never-made", option, value])
            outcome.expectRefusal(words)
            #expect(!outcome.errors.contains("Missing value"))
        }
        try refused("--epochs", "-3", as: "--epochs -3: training.epochs must be at least 1")
        try refused("--batch-size", "-1", as: "--batch-size -1: training.batchSize must be at least 1")
        try refused("--seed", "-1", as: "'-1' is invalid for '--seed")
        try refused("--width", "-8", as: "--width -8: backbone.width must be at least 1")
        try refused("--threads", "-2", as: "--threads must be at least 1")
        try refused("--keep-every", "-2", as: "--keep-every -2")
        try refused("--epochs", "-1.5", as: "--epochs")
        try Executable.run(["evaluate", Fixtures.run, "--data", Fixtures.images, "--random-encoders", "-1"])
            .expectRefusal("--random-encoders must not be negative")
        // What is only an option is one as ever.
        try Executable.run(["pretrain", Fixtures.images, "--epochs", "--quiet"]).expectRefusal("--epochs")
    }

    /// A pipe gets every word, on one line; a terminal's width is kept by breaking lines.
    @Test func listsAreWhole() throws {
        let methods = try Executable.run(["methods"])
        let lines = methods.output.split(separator: "\n").map(String.init)
        for entry in MethodRegistry.standard.entries {
            #expect(lines.contains { $0.hasPrefix(entry.card.name) && $0.contains(entry.card.paper) && $0.hasSuffix(entry.card.summary) })
        }
        let recipes = try Executable.run(["recipes"])
        recipes.expectSuccess()
        #expect(recipes.output.contains("simclr/cifar10") && !recipes.output.contains("…"))

        for verb in ["methods", "recipes", "backbones"] {
            let whole = try Executable.run([verb])
            let narrow = try Executable.run([verb], environment: ["COLUMNS": "70"])
            narrow.expectSuccess()
            #expect(narrow.output.split(separator: "\n").allSatisfy { $0.count <= 70 } && !narrow.output.contains("…"), "\(verb)")
            func letters(_ text: String) -> [Character] { text.filter { $0.isLetter || $0.isNumber }.sorted() }
            #expect(letters(whole.output) == letters(narrow.output), "\(verb)")
        }
    }

    /// Means over the seeds of Recipes/measured.csv; a dash for methods that it has not.
    @Test func methodsShowWhatWasMeasured() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/simclr", withIntermediateDirectories: true)
            let table = """
                method,seed,knn,knn_gain,linear,processor_minutes,peak_memory_mb
                byol,0,0.4,0.11,0.5,4,350
                byol,1,0.45,0.13,0.6,,360
                simsiam,0,0.2,-0.021,0.3,5,300

                """
            try table.write(toFile: "\(folder)/measured.csv", atomically: true, encoding: .utf8)
            let lines = try Executable.run(["methods"], environment: ["FOVEA_RECIPES": folder]).output.split(separator: "\n")
            func cells(_ method: String) -> [String] {
                lines.first { $0.hasPrefix(method + " ") }?.split(separator: " ").map(String.init) ?? []
            }
            #expect(cells("byol").dropFirst(2).prefix(5) == ["42.5", "+12.0", "55.0", "4.0", "355"])
            #expect(cells("simsiam").dropFirst(2).prefix(5) == ["20.0", "-2.1", "30.0", "5.0", "300"])
            #expect(cells("moco").dropFirst(2).prefix(5) == ["–", "–", "–", "–", "–"])
        }
    }

    /// Anywhere, without an environment variable.
    @Test func installedCommandFindsItsRecipes() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        try withTemporaryFolder { folder in
            // A make around this one would tell it to wait for it.
            let make = try Executable.run(
                ["make", "-o", "build", "install", "PREFIX=\(folder)/local", "FOVEA=\(Executable.path)"], executable: "/usr/bin/env",
                in: root,
                environment: ["MAKEFLAGS": ""])
            #expect(make.code == 0, "\(make.errors)")
            #expect(make.output.contains("add \(folder)/local/bin to your PATH"))
            let listed = try Executable.run(["recipes"], executable: "\(folder)/local/bin/fovea", in: folder)
            listed.expectSuccess()
            #expect(listed.output.contains("simclr/cifar10"))
        }
    }
}
