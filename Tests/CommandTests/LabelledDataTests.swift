import Foundation
import Fovea
import Testing
import TestSupport

/// The labelled images that encoders are measured on: which they are, and what of them is left out.
@Suite struct LabelledDataTests {
    private let quick = ["--protocol", "knn", "--random-encoders", "0"]

    /// Without --quiet.
    private let loud = Fixtures.machine.filter { $0 != "--quiet" }

    private func fovea(_ arguments: [String]) throws -> Executable.Outcome { try Executable.run(arguments + Fixtures.machine) }

    private func results(_ folder: String) throws -> [EvaluationResult] {
        try JSONDecoder().decode([EvaluationResult].self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/evaluation/results.json")))
    }

    @Test func theTestPartOfADividedTestFolder() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(48, to: "\(folder)/other/train", seed: 2)
            try Fixtures.write(16, to: "\(folder)/other/test", seed: 3)
            let arguments = ["evaluate", Fixtures.run, "--data", Fixtures.images, "--out", folder]
            try fovea(arguments + ["--test", "\(folder)/other"] + quick).expectSuccess()
            #expect(try results(folder).allSatisfy { $0.testImages == 16 })
            // What is not divided is tested on whole.
            try fovea(arguments + ["--test", "\(folder)/other/train"] + quick).expectSuccess()
            #expect(try results(folder).allSatisfy { $0.testImages == 48 })
        }
    }

    @Test func layersWithoutTheirProtocol() throws {
        try fovea(["evaluate", Fixtures.run, "--data", Fixtures.images, "--layers", "all"] + quick).expectRefusal(
            "--layers", "linear probe")
    }

    /// Counted also with --quiet, behind the table that it is about, listed, and in the report.
    @Test func unreadableImages() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(40, to: "\(folder)/data/train")
            try Fixtures.write(16, to: "\(folder)/data/test", seed: 2)
            try AtomicFile.write("no picture", to: "\(folder)/data/test/circle/broken.png")
            let (run, data) = (Fixtures.run, ["--data", "\(folder)/data", "--out", "\(folder)/out"])
            let list = "\(folder)/out/evaluation/unreadable.csv"
            let name = "circle/broken.png"
            let linear = ["finetunes=false", "penalties=1"].flatMap { ["--set", "transfer.\($0)"] }
            let verbs: [([String], String)] = [
                (["evaluate", run] + quick, name), (["labels", run, "--per-class", "2", "--draws", "1", "--network-draws", "0"], name),
                (["compare", run, "\(run)/encoder.safetensors", "--protocol", "knn"], name),
                // Which of several sets it is of.
                (["transfer", run, "--random-encoders", "0"] + linear, "data/\(name)"),
            ]
            for (verb, name) in verbs {
                let outcome = try fovea(verb + data)
                outcome.expectSuccess()
                let notes = outcome.errors.split(separator: "\n")
                #expect(notes.count == 1, "\(outcome.errors)")
                #expect(notes.first?.hasPrefix("note: 1 image could not be read (first: \(name): ") == true, "\(outcome.errors)")
                #expect(notes.first?.hasSuffix("\(list) lists what was left out") == true, "\(outcome.errors)")
                let rows = try CSV.parse(String(contentsOfFile: list, encoding: .utf8))
                #expect(rows.count == 2 && rows[0] == ["name", "reason"] && rows[1][0] == name)
                let report = try String(contentsOfFile: "\(folder)/out/report.html", encoding: .utf8)
                #expect(report.contains(name) && report.contains("1 file was left out of the last measurement."))
                try FileManager.default.removeItem(atPath: list)
            }
            // Into one file, as `2>&1` does.
            let both = try Executable.run(
                ["-c", "exec \"$0\" \"$@\" 2>&1", Executable.path] + verbs[0].0 + data + Fixtures.machine, executable: "/bin/sh")
            let lines = both.output.split(separator: "\n")
            let note = try #require(lines.firstIndex { $0.hasPrefix("note: 1 image could not be read") })
            let row = try #require(lines.lastIndex { $0.contains("raw pixels") })
            #expect(row < note && note < lines.count - 1, "\(both.output)")
        }
    }

    /// Pairs go into a file, and the list into one beside it.
    @Test func unreadableImagesAmongWhichDuplicatesAreLookedFor() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(12, to: "\(folder)/data")
            try AtomicFile.write("no picture", to: "\(folder)/data/circle/broken.png")
            let search = ["duplicates", Fixtures.run, "\(folder)/data"] + loud
            let outcome = try Executable.run(search + ["--out", "\(folder)/pairs.csv"])
            outcome.expectSuccess()
            let list = "\(folder)/pairs.unreadable.csv"
            #expect(outcome.errors.contains("note: 1 image could not be read (first: circle/broken.png: "), "\(outcome.errors)")
            #expect(outcome.errors.contains("; \(list) lists what was left out"), "\(outcome.errors)")
            let rows = try CSV.parse(String(contentsOfFile: list, encoding: .utf8))
            #expect(rows.count == 2 && rows[0] == ["name", "reason"] && rows[1][0] == "circle/broken.png")
            // Without a place for it, a number and the first.
            let told = try Executable.run(search)
            told.expectSuccess()
            #expect(told.errors.contains("1 image could not be read") && !told.errors.contains("lists what"), "\(told.errors)")
        }
    }

    @Test func imagesOfOtherKindsAndFoldersBesideTheParts() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(40, to: "\(folder)/data/Train")
            try Fixtures.write(16, to: "\(folder)/data/Test", seed: 2)
            try Fixtures.write(8, to: "\(folder)/data/more", seed: 3)
            try AtomicFile.write("an iPhone's", to: "\(folder)/data/Train/circle/photo.HEIC")
            let outcome = try fovea(["evaluate", Fixtures.run, "--data", "\(folder)/data", "--out", folder] + quick)
            outcome.expectSuccess()
            #expect(outcome.errors.contains("note: \(folder)/data is divided into train and test") && outcome.errors.contains(": more\n"))
            #expect(outcome.errors.contains("note: \(folder)/data/Train: 1 image is left out, of kinds that are not read (1 .heic)"))
            #expect(try results(folder).allSatisfy { $0.testImages == 16 })
            let embedded = try fovea(["embed", Fixtures.run, "\(folder)/data", "--out", "\(folder)/a.npy"])
            embedded.expectSuccess()
            #expect(embedded.errors.contains("1 image is left out") && !embedded.errors.contains("divided"))
        }
    }

    /// Before anything is read or trained.
    @Test func limitsAndPlacesThatMakeNoSense() throws {
        let (run, images) = (Fixtures.run, Fixtures.images)
        try withTemporaryFolder { folder in
            let sweep = ["sweep", images, "--grid", "training.epochs=1", "--out", "\(folder)/sweep"]
            let verbs = [sweep, ["quality", run], ["transfer", run], ["evaluate", run], ["labels", run]].map { $0 + ["--data", images] }
            for verb in verbs {
                try fovea(verb + ["--limit", "0"]).expectRefusal("--limit must be at least 2")
                try fovea(verb + ["--test-limit", "-3"]).expectRefusal("--test-limit must be at least 1")
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/sweep"))
            for seconds in ["inf", "1e400", "nan", "0"] {
                try fovea(["labels", run, "--data", images, "--seconds-per-label", seconds])
                    .expectRefusal("--seconds-per-label must be a finite number above 0")
            }
            // Progress would be lines of its own.
            try AtomicFile.write("a file", to: "\(folder)/file")
            let place = ["--data", images, "--test", images, "--out", "\(folder)/file/out"]
            try Executable.run(["labels", run] + place + loud).expectRefusal("\(folder)/file/out")
            try Executable.run(["compare", run, "\(run)/encoder.safetensors"] + place + loud).expectRefusal("\(folder)/file/out")
        }
    }

    @Test func anEncoderByTwoNames() throws {
        try withTemporaryFolder { folder in
            let (run, data) = (Fixtures.run, ["--data", Fixtures.images])
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: run)
            let parent = (run as NSString).deletingLastPathComponent
            for other in [run, "\(run)/", "\(parent)/./run/", "\(folder)/link"] {
                try fovea(["compare", run, other] + data).expectRefusal("an encoder is named twice", other)
                try fovea(["transfer", run, other] + data).expectRefusal("an encoder is named twice", other)
            }
        }
    }

    @Test func imagesOfARunThatMoved() throws {
        try withTemporaryFolder { folder in
            let run = "\(folder)/run"
            try FileManager.default.copyItem(atPath: Fixtures.run, toPath: run)
            let recipe = try String(contentsOfFile: "\(run)/recipe.yaml", encoding: .utf8)
            #expect(recipe.contains(Fixtures.images))
            try AtomicFile.write(recipe.replacingOccurrences(of: Fixtures.images, with: "\(folder)/gone"), to: "\(run)/recipe.yaml")
            let arguments = ["evaluate", run, "--data", Fixtures.images, "--select", "rankme"]
            try fovea(arguments).expectRefusal("\(folder)/gone", "\(run)/recipe.yaml has the run's images", "give them by --images")
            try fovea(["quality", run]).expectRefusal("\(folder)/gone", "give them by --images")
            // They are read: what is wrong then is that the run kept one checkpoint.
            try fovea(arguments + ["--images", Fixtures.images]).expectRefusal("--keep-every")
            try fovea(["evaluate", run, "--data", Fixtures.images, "--images", Fixtures.images]).expectRefusal("--images", "--select")
        }
    }

    @Test func aSweepIsOfItsImages() throws {
        try withTemporaryFolder { folder in
            let settings =
                ["backbone.name=resnet18", "backbone.width=4", "backbone.stem=small", "data.imageSize=16"]
                + ["training.batchSize=16", "training.warmUpEpochs=0", "monitoring.healthImages=16"]
            let sweep =
                ["sweep", Fixtures.images, "--grid", "training.epochs=1", "--protocol", "knn", "--out", "\(folder)/sweep"]
                + settings.flatMap { ["--set", $0] }
            let first = try fovea(sweep + ["--data", Fixtures.images])
            first.expectSuccess()
            let again = try fovea(sweep + ["--data", "\(Fixtures.images)/"])
            again.expectSuccess()
            #expect(again.output == first.output)
            try fovea(sweep + ["--data", Fixtures.images, "--limit", "32"]).expectRefusal("--limit 32", "another --out")
            try fovea(sweep + ["--data", Fixtures.images, "--test", Fixtures.images]).expectRefusal("--test", "another --out")
        }
    }
}
