import ArgumentParser
import Fovea
import Foundation

/// Where and with how many threads to compute.
struct MachineOptions: ParsableArguments {
    @Option(help: "cpu, cuda, cuda:N or mps; the best there is by default.")
    var device: String?

    @Option(help: "Threads of one tensor operation; all cores by default.")
    var threads: Int?

    @Option(help: "Threads that decode and augment images.")
    var loaderThreads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
        if let loaderThreads, loaderThreads < 1 { throw ValidationError("--loader-threads must be at least 1") }
    }

    func apply() {
        if let threads { Runtime.threads = threads }
    }

    func chosenDevice() throws -> Device {
        guard let device else { return Device.available[0] }
        let names = Device.available.map(\.description).joined(separator: ", ")
        guard let chosen = Device(device) else { throw ValidationError("--device \(device): choose one of \(names)") }
        guard chosen.isAvailable else { throw ValidationError("--device \(device) is not here; there is \(names)") }
        return chosen
    }

    var loaders: Int { loaderThreads ?? min(ProcessInfo.processInfo.activeProcessorCount, 8) }

    func trainerOptions() throws -> Trainer.Options {
        var options = Trainer.Options()
        options.device = try chosenDevice()
        options.loaderThreads = loaders
        return options
    }
}
