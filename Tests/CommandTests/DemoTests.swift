import Foundation
import Fovea
import Testing
import TestSupport

/// What `fovea demo` removes, and what it must not.
@Suite struct DemoTests {
    private func demo(_ more: String...) throws -> Executable.Outcome {
        try Executable.run(["demo", "--epochs", "1", "--threads", "2", "--loader-threads", "2", "--device", "cpu"] + more)
    }

    /// Folders that happen to be called like those that a demo makes.
    @Test func leavesOthersFoldersAlone() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(40, to: "\(folder)/mine/images")
            for name in ["simclr", "supervised"] { try AtomicFile.write("mine", to: "\(folder)/\(name)/\(name)/thesis.txt") }
            let before = try files(below: folder)
            try demo("--data", "\(folder)/mine/images", "--out", "\(folder)/mine")
                .expectRefusal("\(folder)/mine/images is there already and no demo made it", "--out")
            for name in ["simclr", "supervised"] {
                try demo("--out", "\(folder)/\(name)").expectRefusal("\(folder)/\(name)/\(name) is there already", "--out")
            }
            #expect(differences(before, try files(below: folder)) == [])
        }
    }

    /// Its own it replaces, but not when the images lie there, and not before it knows that there are images.
    @Test func replacesWhatADemoMade() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(40, to: "\(folder)/shapes")
            let flat = "\(folder)/flat"
            for (index, name) in try files(below: "\(folder)/shapes").keys.sorted().enumerated() {
                try AtomicFile.write(contents(of: "\(folder)/shapes/\(name)"), to: "\(flat)/\(index).png")
            }
            let out = "\(folder)/out"
            let first = try demo("--data", flat, "--out", out)
            first.expectSuccess()
            #expect(first.errors.contains("These images have no labels") && first.output.contains("\(out)/simclr/report.html"))
            try AtomicFile.write("", to: "\(out)/simclr/of-the-first")
            try demo("--data", "\(folder)/none", "--out", out).expectRefusal("no such file or folder: \(folder)/none")
            try demo("--data", "\(out)/simclr/evaluation", "--out", out)
                .expectRefusal("\(out)/simclr, where the images of --data \(out)/simclr/evaluation are")
            try demo("--data", out, "--out", out).expectRefusal("where the images of --data \(out) are")
            #expect(FileManager.default.fileExists(atPath: "\(out)/simclr/of-the-first"))
            try demo("--data", flat, "--out", out).expectSuccess()
            #expect(!FileManager.default.fileExists(atPath: "\(out)/simclr/of-the-first"))
        }
    }

    /// Said at once, not after the training.
    @Test func oneImageOfEachClass() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(8, to: "\(folder)/few")
            try demo("--data", "\(folder)/few", "--out", "\(folder)/out").expectRefusal("no class has more than one image", "add images")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/out"))
        }
    }
}
