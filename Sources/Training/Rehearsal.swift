internal import Foundation
internal import Methods
internal import Torch
internal import Views

/// A few steps on a few images before the first epoch, which change nothing: they show that shapes fit, and from how time
/// and memory grow between two batch sizes, what the run will need.
struct Rehearsal {
    let secondsPerStep: Double
    /// Of the process at its peak, extrapolated to the full batch.
    let bytes: Int

    /// - Parameters:
    ///   - device: whose generator is put back as well as the CPU's.
    ///   - batch: makes a batch of that many images.
    ///   - step: forward and backward, without the optimiser.
    init(
        _ method: any SelfSupervisedMethod, batchSize: Int, on device: Device, batch: (Int) throws -> Batch?, step: (Batch) -> Void
    ) throws {
        let state = method.stateDict.mapValues { $0.cloned() }
        let generators = Set([.cpu, device]).map { ($0, Runtime.generatorState($0)) }
        defer {
            withoutGradients { for (key, tensor) in method.stateDict { tensor.copyInPlace(state[key]!) } }
            method.clearGradients()
            for (device, generator) in generators { Runtime.setGeneratorState(generator, of: device) }
        }

        func measure(_ count: Int) throws -> (seconds: Double, bytes: Int)? {
            guard let batch = try batch(count) else { return nil }
            let start = Date()
            let before = ProcessMemory.peak
            step(batch)
            return (Date().timeIntervalSince(start) * Double(count) / Double(batch.count), max(ProcessMemory.peak, before))
        }

        let least = max(method.leastBatch, 2)
        let small = min(max(batchSize / 8, least), batchSize)
        let large = min(max(batchSize / 4, least), batchSize)
        // The first step of a shape also pays for choosing kernels.
        _ = try measure(small)
        guard let first = try measure(small), let second = try measure(large) else {
            secondsPerStep = 0
            bytes = 0
            return
        }
        let slope = large > small ? max(0, (second.seconds - first.seconds) / Double(large - small)) : 0
        // Between proportional to the images and the measured slope, which small batches make noisy.
        secondsPerStep = max(second.seconds + slope * Double(batchSize - large), second.seconds / Double(large) * Double(batchSize) * 0.7)
        let growth = large > small ? max(0, second.bytes - first.bytes) / (large - small) : 0
        bytes = second.bytes + growth * (batchSize - large)
    }
}
