import Fovea
import Testing
import TestSupport

@testable import Training

/// Rounds of sites are what they say, for methods with heads, teachers and memory banks.
@Suite struct FederationTests {
    private func settings(rounds: Int = 2, localEpochs: Int = 1, alpha: Double = 0.8) -> Federation.Settings {
        var settings = Federation.Settings()
        (settings.sites, settings.rounds, settings.localEpochs, settings.alpha, settings.splitSeed) = (4, rounds, localEpochs, alpha, 2)
        return settings
    }

    private func federation(_ folder: String, _ settings: Federation.Settings, shouldStop: @escaping () -> Bool = { false }) throws
        -> Federation
    {
        var federation = try Federation(settings, folder: folder)
        federation.options = tinyOptions(shouldStop: shouldStop)
        return federation
    }

    private func recipe(_ method: String) throws -> Recipe {
        var recipe = try tinyRecipe(method)
        recipe.training.batchSize = 8
        recipe.monitoring.knnEveryEpochs = 0
        return recipe
    }

    private func finished(_ ending: Federation.Ending) throws -> Federation.State {
        guard case .finished(let state) = ending else {
            Issue.record("not finished")
            throw TrainingError("not finished")
        }
        return state
    }

    /// The mean of the sites' weights, by their numbers of images, of checkpoints that the test reads itself.
    @Test func averageIsTheWeightedMeanOfTheSites() throws {
        let images = try TinyImages(120)
        try withTemporaryFolder { folder in
            let state = try finished(federation(folder, settings(rounds: 1)).run(recipe("simclr"), dataset: images))
            #expect(state.images.count == 4 && state.images.reduce(0, +) == 120 && Set(state.images).count > 1)
            let sites = try (1...4).map { try Checkpoint.read("\(folder)/sites/\($0)/checkpoints/last.safetensors").state("method.") }
            let encoder = try Safetensors.read("\(folder)/encoder.safetensors").tensors
            let average = try Safetensors.read("\(folder)/average-1.safetensors").tensors
            #expect(Set(average.keys) == Set(sites[0].keys.filter { !$0.hasSuffix("num_batches_tracked") }))
            for (key, tensor) in average {
                var mean = Tensor.zeros(tensor.shape, .float64)
                for (site, count) in zip(sites, state.images) { mean = mean + site[key]!.to(.float64) * (Double(count) / 120) }
                expectClose(tensor, mean, .float32, "\(key)")
            }
            // The sites have gone apart, and an unweighted mean is another.
            let key = try #require(average.keys.first { $0.hasSuffix("encoder.conv1.weight") })
            #expect(difference(sites[0][key]!, sites[1][key]!, .float32) != nil)
            let plain = sites.reduce(Tensor.zeros(average[key]!.shape)) { $0 + $1[key]! / 4 }
            #expect(difference(average[key]!, plain, .float32) != nil)
            expectSame(encoder["conv1.weight"]!, average[key]!)
            let bytes = average.values.reduce(0) { $0 + 4 * $1.count }
            #expect(state.bytesPerTransfer == bytes && state.bytesExchanged == 2 * 4 * bytes)
        }
    }

    /// With a rate that moves nothing all rounds give the weights that one run begins with, at every site: also of methods with a
    /// memory of its own for each site's images.
    @Test(arguments: ["simclr", "instance_discrimination", "byol"]) func sitesBeginAlike(_ method: String) throws {
        let images = try TinyImages(80)
        try withTemporaryFolder { folder in
            var recipe = try recipe(method)
            (recipe.training.learningRate, recipe.training.weightDecay) = (1e-30, 0)
            let state = try finished(federation("\(folder)/all", settings()).run(recipe, dataset: images))
            #expect(state.rounds == 2)
            let single = try Trainer(recipe, dataset: images, folder: RunFolder("\(folder)/one"), options: tinyOptions())
            let average = try Safetensors.read("\(folder)/all/average-2.safetensors").tensors
            let kept = Set(single.method.namedBuffers.map(\.key))
            #expect(average.keys.contains { $0.contains("conv1.weight") } && !average.keys.contains { $0.hasSuffix("bank") })
            if method == "simclr" {
                for (key, tensor) in average where !kept.contains(key) {
                    expectClose(tensor, single.method.stateDict[key]!, Tolerance(relative: 1e-6, absolute: 1e-7), "\(key)")
                }
            }
            let sites = try (1...4).map { try Checkpoint.read("\(folder)/all/sites/\($0)/checkpoints/last.safetensors").state("method.") }
            for site in sites {
                for (key, tensor) in average where !kept.contains(key) {
                    expectClose(site[key]!, tensor, Tolerance(relative: 1e-6, absolute: 1e-7), "\(key)")
                }
            }
        }
    }

    /// Broken off after every third step and gone on with, it is the same to the byte; and done again it stays as it is.
    @Test(arguments: ["simclr", "moco"]) func brokenOffAndGoneOnWith(_ method: String) throws {
        let images = try TinyImages(64)
        try withTemporaryFolder { folder in
            let recipe = try recipe(method)
            let whole = "\(folder)/whole"
            let state = try finished(federation(whole, settings(localEpochs: 2)).run(recipe, dataset: images))
            let parts = "\(folder)/parts"
            var count = 0
            while true {
                count += 1
                let ending = try federation(parts, settings(localEpochs: 2), shouldStop: stopping(after: 3)).run(recipe, dataset: images)
                if case .finished(let other) = ending {
                    #expect(other == state)
                    break
                }
                try #require(count < 200)
            }
            #expect(count > 5, "it was broken off \(count) times")
            let times = Set((1...4).flatMap { site in timingFiles.map { "sites/\(site)/\($0)" } })
            let found = differences(try files(below: whole), try files(below: parts), ignoring: times)
            #expect(found == [], "\(found)")
            #expect(try finished(federation(whole, settings(localEpochs: 2)).run(recipe, dataset: images)) == state)
            #expect(try Encoder.load(whole).outputWidth == 32)
        }
    }

    @Test func mistakesAreToldInOneLine() throws {
        let images = try TinyImages(60)
        func refusal(_ body: () throws -> some Any) -> String? {
            do { _ = try body() } catch { return "\(error)" }
            return nil
        }
        try withTemporaryFolder { folder in
            var wrong = settings()
            wrong.alpha = 0
            #expect(refusal { try Federation(wrong, folder: folder) }?.hasPrefix("--alpha must be above 0, not 0.0") == true)
            wrong = settings()
            wrong.sites = 1
            #expect(refusal { try Federation(wrong, folder: folder) } == "--sites must be 2 to 1000, not 1")
            wrong.sites = 40
            #expect(
                try refusal { try federation(folder, wrong).run(recipe("simclr"), dataset: images) }?
                    .contains("60 images cannot be divided among 40 sites") == true)
            _ = try federation("\(folder)/a", settings(rounds: 1)).run(recipe("simclr"), dataset: images)
            let other = try refusal { try federation("\(folder)/a", settings(rounds: 2)).run(recipe("simclr"), dataset: images) }
            #expect(other == "\(folder)/a holds a federation of another recipe, data or settings: give another --out")
            _ = try wholeRun(tinyRecipe("simclr"), images, "\(folder)/b", options: tinyOptions())
            let run = try refusal { try federation("\(folder)/b", settings()).run(recipe("simclr"), dataset: images) }
            #expect(run == "\(folder)/b holds a run that is no federation: give another --out")
        }
    }
}
