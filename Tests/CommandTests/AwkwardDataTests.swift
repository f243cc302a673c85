import Foundation
import Fovea
import Testing
import TestSupport

/// Small and awkward labelled folders: a sensible number, or one line that says what is wrong.
@Suite(.serialized) struct AwkwardDataTests {
    /// Writes a picture whose hue is its class, with noise.
    private func write(_ path: String, label: Int, classes: Int, seed: Int, side: (Int, Int) = (16, 16), grey: Bool = false) throws {
        var random = ViewKey(seed: 11, epoch: label, index: seed, stream: 0).random()
        let level = (Double(label) + 0.5) / Double(classes)
        let pixels = (0..<side.0 * side.1).flatMap { place -> [UInt8] in
            let shade = place % side.0 < side.0 / 2 ? level : 1 - level
            let colour = grey ? [shade, shade, shade] : [level, 1 - level, 0.5]
            let noise = 0.85 + 0.15 * random.uniform()
            return colour.map { UInt8(255 * $0 * noise) }
        }
        try AtomicFile.write(ImageEncoder.png(PixelImage(width: side.0, height: side.1, pixels: pixels)), to: path, synced: false)
    }

    private func results(_ folder: String) throws -> [EvaluationResult] {
        try JSONDecoder().decode([EvaluationResult].self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/evaluation/results.json")))
    }

    private let frozen = "knn,linear,mlp,lowshot,cluster,retrieve"
    private let quick = [
        "--set", "lowshot.draws=2", "--set", "lowshot.shots=[1,2]", "--set", "mlp.epochs=5", "--set", "mlp.hiddenWidth=8", "--set",
        "mlp.learningRates=[0.1]", "--set", "cluster.restarts=1", "--set", "linear.penalties=2",
    ]

    private func evaluate(_ data: String, _ out: String, _ more: [String]) throws -> Executable.Outcome {
        try Executable.run(["evaluate", Fixtures.run, "--data", data, "--out", out, "--random-encoders", "1"] + Fixtures.machine + more)
    }

    @Test func twoClassesOneOfOneImageInFilesOfDifferentSizes() throws {
        try withTemporaryFolder { folder in
            for index in 0..<8 {
                let side = [(16, 16), (40, 25), (9, 70), (1, 1)][index % 4]
                try write("\(folder)/data/train/many/\(index).png", label: 0, classes: 2, seed: index, side: side)
                try write("\(folder)/data/test/many/\(index).png", label: 0, classes: 2, seed: 50 + index, side: side)
            }
            try write("\(folder)/data/train/one/0.png", label: 1, classes: 2, seed: 0)
            try write("\(folder)/data/test/one/0.png", label: 1, classes: 2, seed: 9, side: (33, 20))
            let outcome = try evaluate("\(folder)/data", folder, ["--protocol", frozen] + quick)
            outcome.expectSuccess()
            let rows = try results(folder)
            #expect(rows.allSatisfy { $0.value.isFinite && $0.testImages == 9 })
            #expect(rows.contains { $0.note == "1 classes have fewer than 2 images, all of which are used" })
        }
    }

    /// Also with a fifth held out: no class has enough for all.
    @Test func twoHundredClassesOfThreeImages() throws {
        try withTemporaryFolder { folder in
            for label in 0..<200 {
                for index in 0..<3 { try write("\(folder)/data/c\(label)/\(index).png", label: label, classes: 200, seed: index) }
            }
            let few = ["--set", "lowshot.shots=[1]", "--set", "lowshot.draws=2", "--set", "lowshot.classifiers=[\"centroid\"]"]
            let outcome = try evaluate(
                "\(folder)/data", folder,
                ["--protocol", "knn,linear,lowshot,cluster,retrieve", "--set", "linear.penalties=1", "--set", "cluster.restarts=1"] + few)
            outcome.expectSuccess()
            let rows = try results(folder)
            #expect(rows.allSatisfy { $0.value.isFinite })
            let linear = rows.first { $0.protocolName == "linear" }!
            // One of each three is tested on.
            #expect(linear.testImages == 200 && linear.trainImages == 400 && linear.split == "held-out fifth")
            #expect(rows.first { $0.protocolName == "knn" }?.setting == "k=1")
            #expect(rows.first { $0.protocolName == "cluster" }?.setting == "k=200")
            // Chance is half a per cent; the hue alone tells more.
            #expect(rows.first { $0.encoder == "raw pixels" && $0.protocolName == "knn" }!.value > 0.1)
        }
    }

    @Test func classesMissingFromTheTestSplitAndUnlabelledAndBrokenAndGreyImages() throws {
        try withTemporaryFolder { folder in
            for label in 0..<3 {
                for index in 0..<8 {
                    try write("\(folder)/data/train/c\(label)/\(index).png", label: label, classes: 3, seed: index, grey: index % 2 == 0)
                }
            }
            for index in 0..<6 {
                let label = index % 2
                try write("\(folder)/data/test/c\(label)/\(index).png", label: label, classes: 3, seed: 60 + index, grey: label == 0)
            }
            // Not in a class's folder: without a label.
            try write("\(folder)/data/train/loose.png", label: 0, classes: 3, seed: 70)
            try write("\(folder)/data/test/loose.png", label: 0, classes: 3, seed: 71)
            try AtomicFile.write("no picture", to: "\(folder)/data/train/c0/broken.png")
            let arguments = ["evaluate", Fixtures.run, "--data", "\(folder)/data", "--out", folder, "--random-encoders", "1"]
            let loud = Fixtures.machine.filter { $0 != "--quiet" }
            let outcome = try Executable.run(arguments + loud + ["--protocol", frozen] + quick)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains("1 image could not be read (first: c0/broken.png"))
            let rows = try results(folder)
            for row in rows {
                #expect(row.testImages == 6 && row.value.isFinite, "\(row.protocolName) \(row.metric)")
                if row.protocolName == "knn" { #expect(row.trainImages == 24) }
            }
            // Two classes are there to be found, not three.
            #expect(rows.first { $0.protocolName == "cluster" }?.setting == "k=2")
        }
    }

    @Test func aClassOfTheTestSplitThatTrainingLacks() throws {
        try withTemporaryFolder { folder in
            for index in 0..<6 {
                try write("\(folder)/train/c\(index % 2)/\(index).png", label: index % 2, classes: 3, seed: index)
                try write("\(folder)/test/c\(index % 3)/\(index).png", label: index % 3, classes: 3, seed: 60 + index)
            }
            try evaluate("\(folder)/train", folder, ["--test", "\(folder)/test"]).expectRefusal("c2", "\(folder)/test")
        }
    }

    @Test func networksOnFewAndAwkwardImages() throws {
        try withTemporaryFolder { folder in
            for index in 0..<10 {
                try write("\(folder)/data/train/a/\(index).png", label: 0, classes: 2, seed: index, side: (20, 11 + index))
                try write("\(folder)/data/test/a/\(index).png", label: 0, classes: 2, seed: 40 + index, grey: true)
            }
            try write("\(folder)/data/train/b/0.png", label: 1, classes: 2, seed: 3, grey: true)
            try write("\(folder)/data/test/b/0.png", label: 1, classes: 2, seed: 4)
            try write("\(folder)/data/train/loose.png", label: 1, classes: 2, seed: 5)
            let tuning = ["epochs=1", "leastSteps=2", "learningRates=[0.1]", "batchSize=4"]
            var settings = ["finetune.shares=[0.1,1]", "robust.corruptions=fog,jpeg-compression", "robust.severities=[3]"]
            settings += ["robust.penalties=1", "transfer.metric=mean-per-class"]
            settings += tuning.flatMap { ["finetune.\($0)", "transfer.\($0)"] }
            let changes = settings.flatMap { ["--set", $0] }
            let outcome = try evaluate("\(folder)/data", folder, ["--protocol", "finetune,robust,transfer"] + changes)
            outcome.expectSuccess()
            let rows = try results(folder)
            #expect(rows.allSatisfy { $0.testImages == 11 })
            // One of each class at the least.
            #expect(rows.first { $0.protocolName == "finetune" }?.trainImages == 2)
            #expect(rows.first { $0.protocolName == "transfer" }?.metric == "linear mean per-class accuracy")
        }
    }

    @Test func whatCannotBeMeasuredSaysSoInOneLine() throws {
        try withTemporaryFolder { folder in
            for index in 0..<4 { try write("\(folder)/one/a/\(index).png", label: 0, classes: 2, seed: index) }
            for index in 0..<4 { try write("\(folder)/none/\(index).png", label: 0, classes: 2, seed: index) }
            for label in 0..<3 { try write("\(folder)/single/c\(label)/0.png", label: label, classes: 3, seed: 0) }
            try evaluate("\(folder)/one", folder, []).expectRefusal("at least 2 classes", "folder of its own")
            try evaluate("\(folder)/none", folder, []).expectRefusal("at least 2 classes")
            // Nothing to test on: each class has one image.
            try evaluate("\(folder)/single", folder, ["--protocol", "linear"]).expectRefusal("no class has two labelled images")
            try evaluate("\(folder)/single", folder, ["--protocol", "finetune"]).expectRefusal("needs a test split")
        }
    }

    @Test func transferAndDuplicatesOnFolders() throws {
        try withTemporaryFolder { folder in
            for name in ["pets", "hues"] {
                for index in 0..<18 { try write("\(folder)/\(name)/c\(index % 3)/\(index).png", label: index % 3, classes: 3, seed: index) }
            }
            let quick = ["--set", "transfer.epochs=1", "--set", "transfer.leastSteps=2", "--set", "transfer.learningRates=[0.1]"]
            let outcome = try Executable.run(
                ["transfer", Fixtures.run, "--data", "\(folder)/pets", "again=\(folder)/hues", "--out", folder] + Fixtures.machine + quick)
            outcome.expectSuccess()
            let metrics = "mean per-class accuracy: pets; others: top-1"
            let parts = ["linear evaluation", "fine-tuned", "random init", metrics, "a fifth of each"]
            for part in parts {
                #expect(outcome.output.contains(part), "\(part)")
            }
            #expect(try String(contentsOfFile: "\(folder)/report.html", encoding: .utf8).contains("Transfer"))
            try Executable.run(["transfer", Fixtures.run, "--data", "\(folder)/pets", "\(folder)/pets/"] + Fixtures.machine)
                .expectRefusal("two data sets are called 'pets'")

            // A copy, and one that is a little darker.
            try FileManager.default.createDirectory(atPath: "\(folder)/mine", withIntermediateDirectories: true)
            let shapes = SyntheticShapes(count: 12, side: 16, seed: 5)
            for index in 0..<12 {
                try AtomicFile.write(ImageEncoder.png(shapes.image(at: index, coveringAtLeast: nil)), to: "\(folder)/mine/\(index).png")
            }
            var darker = try shapes.image(at: 3, coveringAtLeast: nil)
            for place in darker.pixels.indices { darker.pixels[place] = UInt8(Double(darker.pixels[place]) * 0.9) }
            try AtomicFile.write(ImageEncoder.png(darker), to: "\(folder)/mine/3-darker.png")
            try FileManager.default.copyItem(atPath: "\(folder)/mine/7.png", toPath: "\(folder)/mine/7-copy.png")
            let machine = Fixtures.machine.filter { $0 != "--quiet" }
            let found = try Executable.run(
                ["duplicates", Fixtures.run, "\(folder)/mine", "--correlation", "0.999", "--out", "\(folder)/p.csv"] + machine)
            found.expectSuccess()
            #expect(found.output.contains("2 pairs in 2 groups among 14 images"))
            let lines = try String(contentsOfFile: "\(folder)/p.csv", encoding: .utf8).split(separator: "\n").dropFirst()
            let pairs = lines.map { Set($0.split(separator: ",", omittingEmptySubsequences: false).prefix(2).map(String.init)) }
            #expect(Set(pairs) == [["3.png", "3-darker.png"], ["7.png", "7-copy.png"]])
        }
    }
}
