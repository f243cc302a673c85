import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// The same recipe gives the same bytes, whatever surrounds it.
@Suite struct DeterminismTests {
    private static let methods = MethodRegistry.standard + [MethodEntry(TwoNetworks.self)]

    @Test(arguments: ["simclr", "byol", "rotnet", "two-networks"]) func sameSeedSameBytes(_ method: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe(method, Self.methods)
            let first = try wholeRun(recipe, images, "\(folder)/a", Self.methods)
            for threads in [0, 1, 2] {
                // Whatever was drawn before must not matter.
                Runtime.seed(UInt64(threads) + 100)
                let again = try wholeRun(recipe, images, "\(folder)/\(threads)", Self.methods, options: tinyOptions(loaderThreads: threads))
                #expect(differences(first, again, ignoring: timingFiles) == [], "\(threads) loader threads")
            }
            // The first look changes nothing: no weight, no statistic, no random number.
            let notes = Notes()
            let rehearsed = try wholeRun(
                recipe, images, "\(folder)/rehearsed", Self.methods, options: tinyOptions(rehearses: true, observer: notes))
            #expect(notes.plan?.forecast.map { $0.seconds > 0 && $0.bytes > 10 << 20 } == true)
            #expect(differences(first, rehearsed, ignoring: timingFiles) == [], "rehearsed")

            var other = recipe
            other.training.seed += 1
            let changed = try wholeRun(other, images, "\(folder)/other", Self.methods)
            #expect(first["encoder.safetensors"] != changed["encoder.safetensors"])
        }
    }

    @Test func rehearsalPutsEverythingBack() throws {
        let context = MethodContext(
            backbone: BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16, sampleCount: 8, classCount: 0)
        let method = try TwoNetworks(.init(), context)
        let before = method.stateDict.mapValues(\.bytes)
        let generator = Runtime.generatorState().bytes
        let batch = Batch(
            views: [Tensor.full([8, 3, 16, 16], 100, .uint8)], indices: .arange(8), labels: Tensor([Int](repeating: -1, count: 8)))
        var steps = 0
        _ = try Rehearsal(method, batchSize: 8, on: .cpu) { _ in
            batch
        } step: { batch in
            method.loss(batch, Step(epoch: 0, index: 0, total: 1, phase: 1)).total.backward()
            #expect(method.parameters.contains { $0.value.gradient != nil })
            steps += 1
        }
        #expect(steps == 3)
        #expect(method.stateDict.mapValues(\.bytes) == before)
        #expect(Runtime.generatorState().bytes == generator)
        #expect(method.parameters.allSatisfy { $0.value.gradient == nil })
    }
}
