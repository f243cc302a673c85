import Foundation
import Fovea
import Testing
import TestSupport

/// Few labels: the curve, fine-tuning and distillation, as a person runs them.
@Suite struct LabelsTests {
    /// Fixtures' images, half of them to test on.
    private static let data: String = {
        let folder = (Fixtures.images as NSString).deletingLastPathComponent + "/split"
        try! Fixtures.write(64, to: "\(folder)/train")
        try! Fixtures.write(32, to: "\(folder)/test", seed: 2)
        return folder
    }()

    private func fovea(_ folder: String, _ arguments: [String]) throws -> Executable.Outcome {
        try Executable.run(arguments + ["--data", Self.data] + Fixtures.machine, environment: ["TMPDIR": folder])
    }

    private func rows(_ path: String) throws -> [[Substring]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",") }
    }

    private func records(_ path: String) throws -> [[String: String]] {
        let rows = try CSV.parse(String(contentsOfFile: path, encoding: .utf8))
        return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
    }

    @Test func theCurveAndItsChoosers() throws {
        try withTemporaryFolder { folder in
            let outcome = try fovea(
                folder,
                [
                    "labels", Fixtures.run, "--out", "\(folder)/out", "--per-class", "1,4", "--draws", "2", "--choose", "random, kmeans",
                    "--steps", "1", "--epochs", "1", "--seconds-per-label", "36", "--baseline", "same",
                ])
            outcome.expectSuccess()
            #expect(outcome.output.contains("supervised with 64 labels") && outcome.output.contains("fine-tuned"))
            #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
            let table = try rows("\(folder)/out/evaluation/labels.csv")
            // Six curves of three points.
            #expect(table.count == 19 && FileManager.default.fileExists(atPath: "\(folder)/out/report.html"))
            #expect(table[0].contains("hours_saved") && table[0].contains("hours_saved_upper"))
            // 36 s are a hundredth of an hour. So little training teaches nothing: whether a curve comes so far is chance, and said.
            let found = try records("\(folder)/out/evaluation/labels.csv").filter { $0["supervised"]?.isEmpty == false }
            #expect(found.count >= 12)
            for row in found {
                let (labels, needed, hours) = (Double(row["labels"]!)!, Double(row["labels_needed"]!), Double(row["hours_saved"]!))
                #expect((needed == nil) == (hours == nil))
                if let needed, let hours { #expect(abs(hours - (labels - needed) / 100) < 1e-9) }
            }
            let reaches = found.contains { $0["labels_needed"]?.isEmpty == false }
            #expect(outcome.output.contains(" needs ") == reaches || outcome.output.contains("does not come so far"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["out"], "left behind")
        }
    }

    @Test func fineTunesAndLeavesNothingBehind() throws {
        try withTemporaryFolder { folder in
            let outcome = try fovea(
                folder,
                [
                    "evaluate", Fixtures.run, "--out", "\(folder)/out", "--protocol", "finetune", "--random-encoders", "1", "--set",
                    "finetune.shares=[0.5]", "--set", "finetune.recipe=simclrv2", "--set", "finetune.epochs=1",
                ])
            outcome.expectSuccess()
            #expect(outcome.output.contains("fine-tuned") && outcome.output.contains("random encoder"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["out"])
        }
    }

    @Test func subsetsByName() throws {
        try withTemporaryFolder { folder in
            let names = try FileManager.default.subpathsOfDirectory(atPath: "\(Self.data)/train").filter { $0.hasSuffix(".png") }.sorted()
            try AtomicFile.write((["# mine", ""] + names.prefix(40)).joined(separator: "\n"), to: "\(folder)/list.txt")
            try fovea(
                folder,
                [
                    "evaluate", Fixtures.run, "--out", "\(folder)/out", "--protocol", "knn", "--subset", "\(folder)/list.txt",
                    "--random-encoders", "0",
                ]
            ).expectSuccess()
            let file = URL(fileURLWithPath: "\(folder)/out/evaluation/results.json")
            let found = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            let counts = (found as? [[String: Any]] ?? []).compactMap { $0["trainImages"] as? Int }
            #expect(!counts.isEmpty && counts.allSatisfy { $0 == 40 })
            try AtomicFile.write("nobody.png\n", to: "\(folder)/list.txt")
            try fovea(folder, ["evaluate", Fixtures.run, "--out", "\(folder)/out", "--subset", "\(folder)/list.txt"])
                .expectRefusal("list.txt", "line 1", "nobody.png")
        }
    }

    @Test func distils() throws {
        try withTemporaryFolder { folder in
            let arguments = [
                "distill", Fixtures.run, "--out", "\(folder)/student", "--share", "0.5", "--recipe", "simclr", "--epochs", "1", "--student",
                "resnet18", "--student-width", "2",
            ]
            let outcome = try fovea(folder, arguments)
            outcome.expectSuccess()
            #expect(outcome.output.contains("teacher") && outcome.output.contains("student"))
            // What it leaves is a run like others.
            try fovea(folder, ["evaluate", "\(folder)/student", "--protocol", "knn", "--random-encoders", "0"]).expectSuccess()
            try fovea(folder, arguments).expectRefusal("\(folder)/student already holds a run", "--out")
        }
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let run = Fixtures.run
        try withTemporaryFolder { folder in
            try fovea(folder, ["labels", run, "--choose", "kmean"]).expectRefusal("--choose kmean", "kmeans")
            try fovea(folder, ["labels", run, "--recipe", "big"]).expectRefusal("--recipe big", "simclr")
            try fovea(folder, ["labels", run, "--per-class", "0"]).expectRefusal("--per-class 0")
            try fovea(folder, ["labels", run, "--baseline", "fair"]).expectRefusal("--baseline fair", "tuned", "same")
            try fovea(folder, ["evaluate", run, "--width", "8"]).expectRefusal("--width", "run", "leave --width out")
            try fovea(folder, ["evaluate", run, "--backbone", "resnet18"]).expectRefusal("--backbone", "leave --backbone out")
            try fovea(folder, ["distill", run, "--out", "\(folder)/x", "--temperature", "0"]).expectRefusal("--temperature must be above 0")
        }
    }
}
