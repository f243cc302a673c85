import Foundation
import Fovea
import Testing
import TestSupport

/// Ctrl-C, full disks, folders that cannot be written to.
@Suite struct InterruptionTests {
    @Test(arguments: [SIGINT, SIGTERM]) func firstSignalSavesAndSaysHowToGoOn(_ signal: Int32) throws {
        try withTemporaryFolder { folder in
            let whole = "\(folder)/whole/run"
            try Executable.run(Fixtures.pretrain(Fixtures.images, whole, epochs: 12)).expectSuccess()
            let run = "\(folder)/run"
            let process = try Running(Fixtures.pretrain(Fixtures.images, run, epochs: 12).filter { $0 != "--quiet" })
            #expect(process.waits(until: { FileManager.default.fileExists(atPath: "\(run)/metrics.csv") }))
            process.send(signal)
            let outcome = process.wait()
            outcome.expectNoCrash()
            #expect(outcome.code == 130)
            #expect(outcome.errors.contains("stopping after this step, with a checkpoint; once more to stop at once"))
            #expect(outcome.errors.contains("saved; go on by: fovea pretrain --resume \(run)"))
            #expect(!FileManager.default.fileExists(atPath: "\(run)/encoder.safetensors"))

            // What there is so far can be used.
            try Executable.run(["embed", run, Fixtures.images, "--out", "\(folder)/early.npy"] + Fixtures.machine).expectSuccess()
            try Executable.run(["pretrain", "--resume", run] + Fixtures.machine).expectSuccess()
            #expect(differences(try files(below: whole), try files(below: run), ignoring: timingFiles) == [])
        }
    }

    /// In the middle of a step that takes long.
    @Test func secondSignalStopsAtOnce() throws {
        try withTemporaryFolder { folder in
            let process = try Running([
                "pretrain", Fixtures.images, "--out", "\(folder)/run", "--width", "64", "--image-size", "160", "--batch-size", "64",
                "--epochs",
                "3", "--threads", "2", "--device", "cpu",
            ])
            #expect(process.waits(until: { FileManager.default.fileExists(atPath: "\(folder)/run/evaluation/views.png") }))
            usleep(300_000)
            process.send(SIGINT)
            #expect(process.waits(until: { process.errors.contains("once more to stop at once") }, limit: 10))
            let second = Date()
            process.send(SIGINT)
            let outcome = process.wait()
            #expect(outcome.code == 130)
            #expect(Date().timeIntervalSince(second) < 2)
            #expect(!outcome.errors.contains("saved"))
            outcome.expectNoCrash()
        }
    }

    /// The disk fills up while checkpoints are kept: the last one stays whole, and with more room the run goes on as if
    /// nothing had been.
    @Test(.enabled(if: Disk.isPossible, "needs root, to make a small disk")) func fullDisk() throws {
        try withTemporaryFolder { folder in
            let whole = "\(folder)/run"
            try Executable.run(Fixtures.pretrain(Fixtures.images, whole, epochs: 12, ["--keep-every", "1"])).expectSuccess()
            try Disk.with("size=3m") { disk in
                let run = "\(disk)/run"
                let full = try Executable.run(Fixtures.pretrain(Fixtures.images, run, epochs: 12, ["--keep-every", "1"]))
                full.expectRefusal("no space left", "free some space", "fovea pretrain --resume \(run)")
                #expect(try files(below: run)["checkpoints/last.safetensors"] != nil)
                let again = try Executable.run(["pretrain", "--resume", run] + Fixtures.machine)
                again.expectRefusal("no space left", "free some space")
                try Disk.remount(disk, "size=60m")
                try Executable.run(["pretrain", "--resume", run] + Fixtures.machine).expectSuccess()
                #expect(differences(try files(below: whole), try files(below: run), ignoring: timingFiles) == [])
            }
        }
    }

    @Test func folderThatCannotBeWrittenTo() throws {
        func expectRefused(_ folder: String) throws {
            let outcome = try Executable.run(Fixtures.pretrain(Fixtures.images, "\(folder)/run"))
            outcome.expectRefusal("\(folder)/run", "choose a folder that you may write to")
            let embedding = try Executable.run(["embed", Fixtures.run, Fixtures.images, "--out", "\(folder)/a.npy"] + Fixtures.machine)
            embedding.expectRefusal("\(folder)/a.npy", "choose a folder that you may write to")
        }
        if Disk.isPossible {
            try Disk.with("ro,size=1m") { try expectRefused($0) }
        } else if geteuid() != 0 {
            try withTemporaryFolder { folder in
                try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder)
                defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder) }
                try expectRefused(folder)
            }
        }
        try withTemporaryFolder { folder in
            try AtomicFile.write("a file", to: "\(folder)/file")
            let outcome = try Executable.run(Fixtures.pretrain(Fixtures.images, "\(folder)/file/run"))
            outcome.expectRefusal("\(folder)/file", "check the path")
        }
    }
}
