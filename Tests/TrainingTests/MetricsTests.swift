import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// What a run writes about itself, against the same run by pencil and paper: `ScalarMethod` in double precision.
@Suite struct MetricsTests {
    private static let methods = MethodRegistry.standard + [MethodEntry(ScalarMethod.self)]

    /// Of one epoch, from the formulas.
    private struct Expected {
        var loss = 0.0
        var distance = 0.0
        var gradientNorm = 0.0
        var learningRate = 0.0
    }

    private static func recipe(clip: Double? = nil) throws -> Recipe {
        var recipe = try tinyRecipe("scalar", methods)
        var settings = ScalarMethod.Settings()
        settings.slope = 0.25
        recipe.method.settings = settings
        recipe.training.learningRate = 0.05
        recipe.training.learningRateScaling = .linear
        recipe.training.batchSize = 16
        recipe.training.weightDecay = 0
        recipe.training.warmUpEpochs = 1
        recipe.training.finalLearningRate = 0.001
        recipe.training.clipGradientNorm = clip
        return recipe
    }

    /// SGD with momentum 0.9 on w, at the peak rate on b; linear warm-up over 3 of 9 steps from 0, then half a cosine.
    private static func simulated(_ recipe: Recipe, _ images: TinyImages) throws -> (epochs: [Expected], rates: [Double], losses: [Double])
    {
        let peak = 0.05 * 16 / 256
        var (w, b, vw, vb) = (1.0, 0.5, 0.0, 0.0)
        var epochs: [Expected] = []
        var (rates, losses): ([Double], [Double]) = ([], [])
        var step = 0
        for epoch in 0..<3 {
            let order = Sampler.shuffled(images.count, seed: recipe.training.seed, epoch: epoch)
            var expected = Expected()
            var norms: [Double] = []
            for batch in 0..<3 {
                let rate = step < 3 ? peak * Double(step) / 3 : 0.001 + (peak - 0.001) * (1 + cos(.pi * Double(step - 3) / 6)) / 2
                let pixels = try order[batch * 16..<(batch + 1) * 16].flatMap { try images.image(at: $0, coveringAtLeast: nil).pixels }
                let m = pixels.reduce(0) { $0 + Double($1) } / Double(pixels.count) / 255
                let distance = (w - m) * (w - m)
                var (gw, gb) = (2 * (w - m), 0.25)
                let norm = (gw * gw + gb * gb).squareRoot()
                if let limit = recipe.training.clipGradientNorm, norm > limit { (gw, gb) = (gw * limit / norm, gb * limit / norm) }
                (vw, vb) = (0.9 * vw + gw, 0.9 * vb + gb)
                expected.loss += (distance + 0.25 * b) / 3
                expected.distance += distance / 3
                expected.learningRate = rate
                // Measured at every second step, and at the first of an epoch.
                if (step + 1).isMultiple(of: 2) || batch == 0 {
                    norms.append(norm)
                    rates.append(rate)
                    losses.append(distance + 0.25 * b)
                }
                (w, b) = (w - rate * vw, b - peak * vb)
                step += 1
            }
            expected.gradientNorm = norms.reduce(0, +) / Double(norms.count)
            epochs.append(expected)
        }
        return (epochs, rates, losses)
    }

    @Test(arguments: [nil, 0.1] as [Double?]) func agreesWithPencilAndPaper(_ clip: Double?) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try Self.recipe(clip: clip)
            try wholeRun(recipe, images, folder, Self.methods)
            let expected = try Self.simulated(recipe, images)
            let rows = try metrics(folder)
            #expect(rows.count == 3)
            for (epoch, (row, wanted)) in zip(rows, expected.epochs).enumerated() {
                #expect(row["epoch"] == Double(epoch + 1) && row["step"] == Double(3 * (epoch + 1)))
                #expect(abs(try #require(row["learning_rate"]) - wanted.learningRate) < 1e-9)
                #expect(abs(try #require(row["loss"]) - wanted.loss) < 1e-5, "epoch \(epoch)")
                #expect(abs(try #require(row["loss.distance"]) - wanted.distance) < 1e-5)
                #expect(abs(try #require(row["gradient_norm"]) - wanted.gradientNorm) < 1e-5)
            }
            // A shifted schedule or a missing momentum would be seen: the loss moves by more than the tolerance.
            #expect(abs(expected.epochs[0].loss - expected.epochs[2].loss) > 1e-3)

            let events = try EventFile(contents(of: RunFolder(folder).tensorBoard)).events
            #expect(events.first == EventFile.Event(version: "brain.Event:2"))
            let steps = events.filter { $0.scalars.keys.contains("train/loss") }
            #expect(steps.map(\.step) == [1, 2, 4, 6, 7, 8])
            for (place, event) in steps.enumerated() {
                #expect(event.wallTime == Double(event.step))
                #expect(Set(event.scalars.keys) == ["train/loss", "train/learning_rate", "train/gradient_norm"])
                #expect(abs(Double(event.scalars["train/learning_rate"]!) - expected.rates[place]) < 1e-8)
                #expect(abs(Double(event.scalars["train/loss"]!) - expected.losses[place]) < 1e-5)
            }
            let ends = events.filter { $0.scalars.keys.contains("epoch/loss") }
            #expect(ends.map(\.step) == [3, 6, 9])
            for (event, row) in zip(ends, rows) {
                #expect(Set(event.scalars.keys) == Set(row.keys.filter { !["epoch", "step"].contains($0) }.map { "epoch/\($0)" }))
                #expect(abs(Double(event.scalars["epoch/loss"]!) - row["loss"]!) < 1e-6)
            }
            #expect(events.count == 1 + 6 + 3)
        }
    }

    @Test func checksumOfTheEventFile() throws {
        #expect(EventFile.crc(Array("123456789".utf8)) == 0xE306_9283)
        try withTemporaryFolder { folder in
            try TensorBoardWriter("\(folder)/events").write([("a", 1)], step: 1)
            var bytes = try contents(of: "\(folder)/events")
            #expect(try EventFile(bytes).events.count == 2)
            bytes[bytes.count - 6] ^= 1
            #expect(throws: EventFile.Broken.self) { try EventFile(bytes) }
        }
    }

    /// The columns, in order, of a method with pairs and an output space; kNN where it was measured.
    @Test func columns() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            try wholeRun(try tinyRecipe("simclr"), images, folder)
            let lines = try String(contentsOfFile: "\(folder)/metrics.csv", encoding: .utf8).split(separator: "\n")
            let names = [
                "epoch", "step", "learning_rate", "loss", "gradient_norm", "h.std", "h.rank", "h.alignment", "h.uniformity", "z.std",
                "z.rank", "z.alignment", "z.uniformity", "knn",
            ]
            #expect(lines.first.map(String.init) == names.joined(separator: ","))
            let rows = try metrics(folder)
            #expect(rows.map { $0["knn"] != nil } == [false, true, true])
            for row in rows {
                #expect((1...32).contains(row["h.rank"]!) && (0...1).contains(row["h.std"]!) && row["h.alignment"]! > 0)
                #expect(row["h.uniformity"]! <= 0)
            }
            let verdict = try JSONDecoder().decode(
                HealthVerdict.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/health.json")))
            #expect(verdict.status == .ok || !verdict.messages.isEmpty)

            let timing = try CSV.parse(String(contentsOfFile: "\(folder)/timing.csv", encoding: .utf8))
            #expect(timing[0] == ["epoch", "seconds", "images_per_second", "peak_memory_mb"])
            #expect(timing.dropFirst().map { $0[0] } == ["1", "2", "3"] && timing.dropFirst().allSatisfy { Double($0[3])! > 10 })
            let total = try JSONDecoder().decode(
                [String: Double].self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/timing.json")))
            #expect(total["seconds"]! > 0 && total["peakMemoryMB"]! > 10)
        }
    }

    @Test func summary() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("rotnet")
            recipe.training.batchSize = 1000
            recipe.data.path = "/photos/birds"
            let notes = Notes()
            try wholeRun(recipe, images, folder, options: tinyOptions(observer: notes))
            #expect(notes.messages == ["there are only 56 images: batches of 56 instead of 1000"])
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/summary.json"))
            let summary = try JSONDecoder().decode(RunSummary.self, from: data)
            #expect(summary.method == "rotnet" && summary.batchSize == 56 && summary.seed == 3 && summary.threads == 1)
            #expect(summary.dataset == .init(name: "birds", images: 56, unreadable: 0, classes: 8))
            #expect(summary.epochs == 3 && summary.imageSize == 16 && summary.device == "cpu")
            #expect(notes.epochs.map(\.epoch) == [0, 1, 2] && notes.plan?.stepsPerEpoch == 1)
        }
    }

    /// The entropies of targets are logged: of flat ones nearly ln K, of sharp ones less.
    @Test(arguments: [0.04, 50]) func useOfTargetsIsRead(_ temperature: Double) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("dino")
            var settings = try #require(recipe.method.settings as? DINO.Settings)
            settings.teacherTemperature = .constant(temperature)
            recipe.method.settings = settings
            recipe.training.epochs = 1
            try wholeRun(recipe, images, "\(folder)/run")
            let row = try #require(metrics("\(folder)/run").last)
            let (each, all) = (try #require(row["targets.entropy"]), try #require(row["targets.marginal_entropy"]))
            #expect(each > 0 && each <= all + 1e-6 && all <= log(12.0) + 1e-6)
            #expect((each > 0.99 * log(12)) == (temperature == 50), "\(each) of \(log(12.0))")
        }
    }
}
