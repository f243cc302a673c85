import Foundation
import Fovea
import Testing
import TestSupport

/// What people get wrong when they evaluate and embed.
@Suite struct ReadingErrorTests {
    private func evaluate(_ source: String, _ data: String, _ more: String...) throws -> Executable.Outcome {
        try Executable.run(["evaluate", source, "--data", data, "--random-encoders", "1"] + Fixtures.machine + more)
    }

    private func embed(_ source: String, _ images: String, _ out: String, _ more: String...) throws -> Executable.Outcome {
        try Executable.run(["embed", source, images, "--out", out] + Fixtures.machine + more)
    }

    @Test func evaluates() throws {
        try withTemporaryFolder { folder in
            let outcome = try evaluate(Fixtures.run, Fixtures.images, "--out", folder)
            outcome.expectSuccess()
            #expect(outcome.errors.isEmpty && outcome.output.contains("random encoder") && outcome.output.contains("raw pixels"))
            #expect(FileManager.default.fileExists(atPath: "\(folder)/evaluation/results.csv"))
        }
    }

    @Test func sourcesThatAreNone() throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/a.npy"
            try AtomicFile.write("garbage, and a good deal of it", to: "\(folder)/garbage.safetensors")
            try Safetensors.write(["conv1.weight": .zeros([4, 3, 3, 3])], to: "\(folder)/other.safetensors")
            for verb in [{ try evaluate($0, Fixtures.images) }, { try embed($0, Fixtures.images, out) }]
                as [(String) throws -> Executable.Outcome]
            {
                try verb("\(folder)/none").expectRefusal("\(folder)/none", "check the path")
                try verb(folder).expectRefusal("\(folder) holds no run", "--out")
                try verb("\(folder)/garbage.safetensors").expectRefusal("\(folder)/garbage.safetensors is not a readable safetensors file")
                try verb("\(folder)/other.safetensors").expectRefusal("\(folder)/other.safetensors", "--backbone")
            }
            try evaluate("\(folder)/other.safetensors", Fixtures.images, "--backbone", "resnet18")
                .expectRefusal("weights of another architecture than resnet18", "missing")
            try embed("\(Fixtures.run)/encoder.safetensors", Fixtures.images, out, "--backbone", "resnet18", "--width", "8")
                .expectRefusal("weights of another architecture than resnet18", "misshapen")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test func runWithoutAnEncoder() throws {
        try withTemporaryFolder { folder in
            let run = "\(folder)/run"
            try FileManager.default.copyItem(atPath: Fixtures.run, toPath: run)
            try FileManager.default.removeItem(atPath: "\(run)/encoder.safetensors")
            try embed(run, Fixtures.images, "\(folder)/a.npy").expectSuccess()
            try FileManager.default.removeItem(atPath: "\(run)/checkpoints")
            try embed(run, Fixtures.images, "\(folder)/b.npy").expectRefusal("\(run) has no encoder yet", "--resume \(run)")
        }
    }

    @Test func labelsThatAreNone() throws {
        try withTemporaryFolder { folder in
            for index in 0..<4 {
                let picture = try contents(of: "\(Fixtures.images)/circle/0000\(index == 0 ? "0" : "8").png")
                try AtomicFile.write(picture, to: "\(folder)/flat/\(index).png")
                try AtomicFile.write(picture, to: "\(folder)/one/only/\(index).png")
            }
            try evaluate(Fixtures.run, "\(folder)/flat").expectRefusal("labels of at least 2 classes", "the images have 0", "CSV list")
            try evaluate(Fixtures.run, "\(folder)/one").expectRefusal("labels of at least 2 classes", "the images have 1")
            try evaluate(Fixtures.run, Fixtures.images, "--test", "\(folder)/one").expectRefusal(
                "the class \"only\"", "not among the training classes")

            try FileManager.default.copyItem(atPath: Fixtures.images, toPath: "\(folder)/split/train")
            try FileManager.default.copyItem(atPath: "\(folder)/one", toPath: "\(folder)/split/test")
            try evaluate(Fixtures.run, "\(folder)/split").expectRefusal("the class \"only\"", "not among the training classes")
        }
    }

    @Test func optionsThatAreWrong() throws {
        try embed(Fixtures.run, Fixtures.images, "a.bin").expectRefusal("--out a.bin", ".safetensors, .npy, .csv", "fovea embed --help")
        try embed(Fixtures.run, Fixtures.images, "a.npy", "--batch-size", "0").expectRefusal("--batch-size must be at least 1")
        try evaluate(Fixtures.run, Fixtures.images, "--protocol", "knm").expectRefusal("--protocol knm", "did you mean 'knn'?")
        try Executable.run(["embed", Fixtures.run]).expectRefusal("images", "fovea embed --help")
        try Executable.run(["pretrian"]).expectRefusal("pretrian", "fovea --help")
        try Executable.run(["report", "nowhere"]).expectRefusal("nowhere is not a folder")
    }

    /// What would be overlooked is refused.
    @Test func optionsOfWeightsFiles() throws {
        for option in [["--backbone", "resnet18"], ["--width", "8"], ["--image-size", "32"]] {
            let arguments = ["embed", Fixtures.run, Fixtures.images, "--out", "a.npy"] + option
            try Executable.run(arguments).expectRefusal("\(Fixtures.run) is a run's folder", "leave out \(option[0])")
        }
        try embed("\(Fixtures.run)/encoder.safetensors", Fixtures.images, "a.npy", "--width", "8").expectRefusal("--width", "--backbone")
    }

    /// Of a folder divided in train/ and test/ the classes are the folders below.
    @Test func labelsOfADividedFolder() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(8, to: "\(folder)/set/train")
            try Fixtures.write(16, to: "\(folder)/set/test", seed: 2)
            try embed(Fixtures.run, "\(folder)/set", "\(folder)/a.csv").expectSuccess()
            let rows = try CSV.parse(String(contentsOfFile: "\(folder)/a.csv", encoding: .utf8)).dropFirst()
            #expect(rows.count == 24)
            for row in rows { #expect(row[0].split(separator: "/")[1] == row[1], "\(row[0])") }
        }
    }

    @Test func helpAndVersion() throws {
        for arguments in [["--help"], ["--version"], ["pretrain", "--help"], ["help", "embed"], [], ["methods"], ["backbones"]] {
            let outcome = try Executable.run(arguments)
            outcome.expectSuccess()
            #expect(outcome.errors.isEmpty && !outcome.output.isEmpty, "\(arguments)")
        }
    }

    /// Equal runs are equal through the command as well, and `--print-recipe` gives a recipe that runs the same.
    @Test func printedRecipe() throws {
        try withTemporaryFolder { folder in
            let printed = try Executable.run(Fixtures.pretrain(Fixtures.images, "\(folder)/run", ["--print-recipe"]))
            printed.expectSuccess()
            try AtomicFile.write(printed.output, to: "\(folder)/mine.yaml")
            try Executable.run(
                ["pretrain", Fixtures.images, "--recipe", "\(folder)/mine.yaml", "--out", "\(folder)/run"] + Fixtures.machine
            )
            .expectSuccess()
            let (a, b) = (try files(below: Fixtures.run), try files(below: "\(folder)/run"))
            #expect(a["encoder.safetensors"] == b["encoder.safetensors"])
        }
    }
}
