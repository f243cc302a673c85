import Foundation
import Fovea
import Methods
import Testing
import TestSupport
import Torch

@testable import Training

/// Runs of two networks with an optimiser each go on byte for byte, and neither optimiser begins anew.
@Suite struct AdversarialResumeTests {
    @Test(arguments: ["context_encoder", "bigbigan"]) func bothOptimisersGoOn(_ method: String) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe(method)
            recipe.training.optimizer.name = .adam
            recipe.training.optimizer.beta1 = 0.5
            recipe.training.learningRate = 1e-3
            recipe.training.epochs = 2
            let whole = try wholeRun(recipe, images, "\(folder)/whole")
            let run = "\(folder)/run"
            let first = try Trainer(recipe, dataset: images, folder: RunFolder(run), options: tinyOptions(shouldStop: stopping(after: 2)))
            #expect(try first.run() == .interrupted)

            // Both have moments of every weight, and have counted their own steps: the discriminator of BigBiGAN twice as many.
            let saved = try Checkpoint.read(RunFolder(run).lastCheckpoint)
            for (phase, steps) in [("network", 2), ("discriminator", method == "bigbigan" ? 4 : 2)] {
                let state = saved.state("optimizer.\(phase).")
                let index = try #require(first.method.phases.firstIndex { $0.name == phase })
                #expect(state.count == 3 * first.method.phases[index].parts.flatMap(\.parameters).count, "\(phase)")
                #expect(state.filter { $0.key.hasSuffix(".step") }.values.allSatisfy { Int($0.item) == steps }, "\(phase)")
                #expect(state.filter { $0.key.hasSuffix(".mean") }.values.contains { $0.abs().max().item > 0 }, "\(phase)")
            }
            try FileManager.default.copyItem(atPath: run, toPath: "\(folder)/forgetful")
            try resumeUntilDone(run, images, every: 2, rehearses: true)
            #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [])

            // Without the discriminator's optimiser it would be another run.
            var forgetful = saved
            forgetful.tensors = saved.tensors.filter { !$0.key.hasPrefix("optimizer.discriminator.") }
            try forgetful.write(to: RunFolder("\(folder)/forgetful").lastCheckpoint)
            try resumeUntilDone("\(folder)/forgetful", images)
            #expect(differences(whole, try files(below: "\(folder)/forgetful"), ignoring: timingFiles) != [])
        }
    }
}
