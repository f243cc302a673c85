import Foundation
import Fovea
import Testing
import TestSupport

/// Killed without warning at random instants, while saving too, and gone on with each time: the files are the
/// uninterrupted run's.
@Suite struct KillTests {
    /// Of several runs one after the other, as many as it takes.
    private func killed(_ times: Int, seed: UInt64) throws {
        try withTemporaryFolder { folder in
            let images = "\(folder)/images"
            try Fixtures.write(96, to: images)
            // What cannot be read must be remembered as well.
            try AtomicFile.write("torn", to: "\(images)/circle/torn.png")
            let settings = [
                "--set", "monitoring.checkpointEveryMinutes=0.0001", "--keep-every", "2", "--set", "monitoring.logEverySteps=3",
            ]
            func arguments(_ run: String) -> [String] { Fixtures.pretrain(images, run, epochs: 6, settings) }
            let machine = Fixtures.machine

            let whole = try Executable.run(arguments("\(folder)/whole/run"))
            whole.expectSuccess()
            let expected = try files(below: "\(folder)/whole/run")
            #expect(
                Set(expected.keys).isSuperset(of: [
                    "report.html", "evaluation/views.png", "unreadable.csv", "checkpoints/epoch-2.safetensors",
                ]))

            var random = ViewKey(seed: seed, epoch: 0, index: 0, stream: 0).random()
            var (kills, partial, beforeTheRun, runs) = (0, 0, 0, 0)
            while kills < times {
                runs += 1
                let run = "\(folder)/\(runs)/run"
                var isDone = false
                while !isDone {
                    let exists = FileManager.default.fileExists(atPath: "\(run)/recipe.yaml")
                    let process = try Running(exists ? ["pretrain", "--resume", run] + machine : arguments(run))
                    if kills < times {
                        let instant = Date() + random.uniform() * whole.seconds * 0.6
                        _ = process.waits(until: { Date() >= instant }, limit: 1000)
                        // Every second time while a checkpoint is being written, which is short.
                        if kills.isMultiple(of: 2) { waits(for: "\(run)/checkpoints/last.safetensors.partial", process) }
                        if process.isRunning {
                            process.send(SIGKILL)
                            kills += 1
                            if !exists { beforeTheRun += 1 }
                        }
                    }
                    let outcome = process.wait()
                    if outcome.signal == SIGKILL {
                        if try files(below: run).keys.contains(where: { $0.hasSuffix(".partial") }) { partial += 1 }
                    } else {
                        outcome.expectSuccess()
                        isDone = true
                    }
                }
                #expect(differences(expected, try files(below: run), ignoring: timingFiles) == [], "run \(runs)")
            }
            print("killed \(kills) times in \(runs) runs; \(partial) left a file half written, \(beforeTheRun) came before a first resume")
        }
    }

    /// Without sleeping, for at most a fifth of a second.
    private func waits(for file: String, _ process: Running) {
        let end = Date() + 0.2
        while Date() < end, process.isRunning, !FileManager.default.fileExists(atPath: file) {}
    }

    @Test func killedAndResumed() throws { try killed(8, seed: 1) }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_SLOW_TESTS"] != nil, "slow: make check-slow runs it"))
    func killedFiftyTimesAndResumed() throws { try killed(50, seed: 2) }
}
