import Foundation
import Testing
import TestSupport

#if canImport(Glibc)
import Glibc
#endif

/// The real `fovea`, as a person runs it.
enum Executable {
    /// Beside the test bundle.
    static let path: String = {
        let bundles = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }.map(\.bundlePath)
        let places = (bundles + [Bundle.main.executablePath ?? CommandLine.arguments[0]]).map { ($0 as NSString).deletingLastPathComponent }
        return places.map { "\($0)/fovea" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "fovea, which is not built"
    }()

    struct Outcome {
        /// The exit code; nil when a signal ended it.
        let code: Int32?
        let signal: Int32?
        let output: String
        let errors: String
        let seconds: Double
    }

    /// Runs it to its end, or to `limit` seconds, when it is killed and an issue recorded.
    static func run(
        _ arguments: [String], limit: Double = 120, executable: String = path, in folder: String? = nil, environment: [String: String] = [:]
    ) throws -> Outcome {
        let running = try Running(arguments, executable: executable, in: folder, environment: environment)
        return running.wait(limit: limit)
    }
}

/// A started process. What it prints goes to files, so that it never waits for a reader.
final class Running {
    private let process = Process()
    private let folder: String
    private let started = Date()

    init(
        _ arguments: [String], executable: String = Executable.path, in workingFolder: String? = nil, environment: [String: String] = [:]
    ) throws {
        folder = NSTemporaryDirectory() + "fovea-process-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: executable)
        if let workingFolder { process.currentDirectoryURL = URL(fileURLWithPath: workingFolder) }
        process.arguments = arguments
        for name in ["output", "errors"] { FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/output")
        process.standardError = FileHandle(forWritingAtPath: "\(folder)/errors")
        process.standardInput = FileHandle.nullDevice
        // Threads that spin while they wait take three times as long on cores that others use too.
        let own = ["OMP_WAIT_POLICY": "passive", "FOVEA_CACHE": "\(folder)/cache"]
        process.environment = ProcessInfo.processInfo.environment.merging(own) { $1 }.merging(environment) { $1 }
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var isRunning: Bool { process.isRunning }
    var errors: String { (try? String(contentsOfFile: "\(folder)/errors", encoding: .utf8)) ?? "" }

    func send(_ signal: Int32) { _ = kill(process.processIdentifier, signal) }

    /// Sleeps until the condition holds; false when the process ended or the time passed before.
    func waits(until condition: () -> Bool, limit: Double = 60) -> Bool {
        let end = Date() + limit
        while Date() < end {
            if condition() { return true }
            if !process.isRunning { return condition() }
            usleep(2000)
        }
        return false
    }

    func wait(limit: Double = 120) -> Executable.Outcome {
        let end = Date() + limit
        while process.isRunning, Date() < end { usleep(2000) }
        if process.isRunning {
            Issue.record("fovea \((process.arguments ?? []).joined(separator: " ")) has not ended in \(limit) s")
            send(SIGKILL)
        }
        process.waitUntilExit()
        let isExit = process.terminationReason == .exit
        return Executable.Outcome(
            code: isExit ? process.terminationStatus : nil, signal: isExit ? nil : process.terminationStatus,
            output: (try? String(contentsOfFile: "\(folder)/output", encoding: .utf8)) ?? "", errors: errors,
            seconds: Date().timeIntervalSince(started))
    }
}

extension Executable.Outcome {
    /// What a crash prints, and a person must never see.
    static let crashWords = ["Fatal error", "Stack dump", "Thread 0 crashed", "crashed:", "*** ", "terminate called", "frame #", "C++ "]

    func expectNoCrash(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(signal == nil, "\(errors)", sourceLocation: sourceLocation)
        for words in Self.crashWords { #expect(!errors.contains(words), "\(errors)", sourceLocation: sourceLocation) }
    }

    func expectSuccess(sourceLocation: SourceLocation = #_sourceLocation) {
        expectNoCrash(sourceLocation: sourceLocation)
        #expect(code == 0, "\(errors)", sourceLocation: sourceLocation)
    }

    /// One line `fovea: error: …` with all of `words`, notes aside, and a non-zero exit.
    func expectRefusal(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        expectNoCrash(sourceLocation: sourceLocation)
        #expect(code != 0, "it went well", sourceLocation: sourceLocation)
        let lines = errors.split(separator: "\n").filter { !$0.hasPrefix("note: ") }
        #expect(lines.count == 1, "\(errors)", sourceLocation: sourceLocation)
        let line = lines.last.map(String.init) ?? ""
        #expect(line.hasPrefix("fovea: error: "), "\(errors)", sourceLocation: sourceLocation)
        for word in words { #expect(line.contains(word), "\(line)", sourceLocation: sourceLocation) }
    }
}
