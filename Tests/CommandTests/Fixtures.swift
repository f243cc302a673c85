import Foundation
import Fovea
import Testing
import TestSupport

/// Image files and a finished run, made once for all tests.
enum Fixtures {
    private static let folder: String = {
        let folder = NSTemporaryDirectory() + "fovea-command-tests-\(ProcessInfo.processInfo.processIdentifier)"
        atexit {
            try? FileManager.default.removeItem(
                atPath: NSTemporaryDirectory() + "fovea-command-tests-\(ProcessInfo.processInfo.processIdentifier)")
        }
        return folder
    }()

    /// 64 images of 16 × 16 pixels in 8 folders, one per class.
    static let images: String = {
        try! write(64, to: "\(folder)/images")
        return "\(folder)/images"
    }()

    /// A finished SimCLR run on them.
    static let run: String = {
        let outcome = try! Executable.run(["pretrain", images, "--out", "\(folder)/run", "--epochs", "1"] + tiny)
        precondition(outcome.code == 0, outcome.errors)
        return "\(folder)/run"
    }()

    /// Settings of a run of seconds, the same on every machine.
    static let tiny = [
        "--backbone", "resnet18", "--width", "4", "--batch-size", "16", "--image-size", "16", "--set", "backbone.stem=small", "--set",
        "monitoring.healthImages=16", "--set", "monitoring.knnImages=32", "--set", "monitoring.knnEveryEpochs=1", "--threads", "2",
        "--loader-threads", "2", "--device", "cpu", "--quiet",
    ]

    /// The threads of commands that only read.
    static let machine = ["--threads", "2", "--loader-threads", "2", "--device", "cpu", "--quiet"]

    /// Writes made-up images as PNG files, a folder for each class.
    static func write(_ count: Int, to folder: String, seed: UInt64 = 1) throws {
        let shapes = SyntheticShapes(count: count, side: 16, seed: seed)
        for index in 0..<count {
            let bytes = ImageEncoder.png(try shapes.image(at: index, coveringAtLeast: nil))
            try AtomicFile.write(bytes, to: "\(folder)/\(shapes.name(at: index))", synced: false)
        }
    }

    static func pretrain(_ images: String, _ out: String, epochs: Int = 1, _ more: [String] = []) -> [String] {
        ["pretrain", images, "--out", out, "--epochs", "\(epochs)"] + tiny + more
    }
}

/// What may differ between two runs of the same recipe: the time.
let timingFiles: Set<String> = ["timing.csv", "timing.json"]

/// Disks of a test's own, which only root can make.
enum Disk {
    static let isPossible: Bool = {
        #if os(Linux)
        return geteuid() == 0 && (try? with("size=1m") { _ in }) != nil
        #else
        return false
        #endif
    }()

    struct Unmountable: Error {}

    /// Mounts a file system in memory as long as `body` runs.
    static func with<Result>(_ options: String, _ body: (String) throws -> Result) throws -> Result {
        try withTemporaryFolder { folder in
            guard try system("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder) else { throw Unmountable() }
            defer { _ = try? system("umount", folder) }
            return try body(folder)
        }
    }

    static func remount(_ folder: String, _ options: String) throws {
        guard try system("mount", "-o", "remount,\(options)", folder) else { throw Unmountable() }
    }

    private static func system(_ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
