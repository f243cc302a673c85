import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// What only some methods ask for: several phases, orders, resets, constant rates.
@Suite struct PhaseTests {
    private static let methods = MethodRegistry.standard + [MethodEntry(TwoNetworks.self), MethodEntry(ScalarMethod.self)]

    @Test func twoPhasesResumeByteForByte() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe("two-networks", Self.methods)
            let whole = try wholeRun(recipe, images, "\(folder)/whole", Self.methods)
            for count in [1, 2, 3] {
                let run = "\(folder)/\(count)"
                let first = try Trainer(
                    recipe, dataset: images, folder: RunFolder(run), methods: Self.methods,
                    options: tinyOptions(shouldStop: stopping(after: count)))
                #expect(try first.run() == .interrupted)
                try resumeUntilDone(run, images, every: count, Self.methods, rehearses: true)
                #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [], "every \(count)")
            }
            // Each phase under its name, divided by its own number of steps: two steps of the critic to one of the network.
            let row = try metrics("\(folder)/whole")[0]
            let (total, critic, network) = (row["loss"]!, row["loss.critic"]!, row["loss.network"]!)
            #expect(abs(total - (2 * critic + network) / 3) < 1e-5)
            #expect(abs(network - row["loss.network.group"]! - row["loss.network.distance"]!) < 1e-5)
            let tags = Set(try EventFile(contents(of: RunFolder("\(folder)/whole").tensorBoard)).events.flatMap(\.scalars.keys))
            #expect(tags.isSuperset(of: ["train/critic/loss", "train/network/loss", "train/network/learning_rate", "epoch/loss"]))
        }
    }

    /// The method sees the order that it set, and features in the data set's order.
    @Test func ordersAndFeatures() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("two-networks", Self.methods)
            recipe.training.epochs = 1
            recipe.training.learningRate = 1e-12
            recipe.training.warmUpEpochs = 0
            let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions())
            let method = try #require(trainer.method as? TwoNetworks)
            let first = try FeatureExtraction(imageSize: 16)(images) { pixels in method.evaluating { method.encoder(pixels) } }
            #expect(first.indices == Array(0..<56))
            #expect(try trainer.run() == .finished)
            // Of the bank only the rows of the 48 images that batches took have changed.
            let taken = Set((0..<48).map { $0 * 5 % 56 })
            let width = method.encoder.outputWidth
            let bank = method.bank.value.floats
            let start = first.rows.floats
            for row in 0..<56 {
                let range = row * width..<(row + 1) * width
                #expect((bank[range] != start[range]) == taken.contains(row), "row \(row)")
            }
        }
    }

    /// A head that is begun anew has no momentum left; the others keep theirs.
    @Test func resetForgetsMomentum() throws {
        let module = Linear(3, 2)
        let other = Linear(3, 2)
        let phase = PhaseOptimizer(Phase("main", [.init(module), .init(other)]), TrainingSettings())
        let x = Tensor.ones([4, 3])
        (module(x).sum() + other(x).sum()).backward()
        phase.step(learningRate: 0.1, peak: 0.1)
        #expect(phase.optimizer.state.count == 4)
        phase.optimizer.forget(module.parameters)
        #expect(phase.optimizer.state.count == 2)
    }

    /// Matrices follow the schedule, vectors are spared as before; no schedule leaves what was.
    @Test func weightDecayChanges() {
        var settings = TrainingSettings()
        (settings.weightDecay, settings.finalWeightDecay) = (0.04, 0.4)
        let phase = PhaseOptimizer(Phase("main", [.init(Linear(3, 2))]), settings)
        func decays() -> [Double] { phase.optimizer.groups.map(\.weightDecay) }
        #expect(decays() == [0.04, 0])
        phase.step(learningRate: 0.1, peak: 0.1, weightDecay: settings.weightDecaySchedule?.value(at: 5, of: 10))
        #expect((decays()[0] - 0.22).magnitude < 1e-12 && decays()[1] == 0)
        phase.step(learningRate: 0.1, peak: 0.1)
        #expect((decays()[0] - 0.22).magnitude < 1e-12)
        #expect(TrainingSettings().weightDecaySchedule == nil)
    }

    /// d L / d b is 1 at every step: without momentum b falls by its rate, which stays at the peak from the first step of the
    /// warm-up, whose rate is 0, to the last.
    @Test func constantRateStaysAtThePeak() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("scalar", Self.methods)
            var settings = ScalarMethod.Settings()
            settings.slope = 1
            recipe.method.settings = settings
            recipe.training.optimizer.momentum = 0
            recipe.training.weightDecay = 0
            recipe.training.learningRate = 0.01
            let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions())
            let method = try #require(trainer.method as? ScalarMethod)
            #expect(recipe.training.rateSchedule.value(at: 0, of: 9) == 0)
            #expect(try trainer.run() == .finished)
            #expect(abs(0.5 - method.b.value.value.item - 9 * 0.01) < 1e-6)
        }
    }

    /// Of 56 images a batch of 5600 is one of 56, and the learning rate is scaled by that.
    @Test(arguments: [TrainingSettings.RateScaling.linear, .squareRoot, .none]) func rateFollowsTheBatchThatIsUsed(
        _ scaling: TrainingSettings.RateScaling
    ) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            var recipe = try tinyRecipe("scalar", Self.methods)
            var settings = ScalarMethod.Settings()
            settings.slope = 1
            recipe.method.settings = settings
            recipe.training.optimizer.momentum = 0
            recipe.training.weightDecay = 0
            recipe.training.learningRate = 0.01
            recipe.training.learningRateScaling = scaling
            recipe.training.batchSize = 5600
            let notes = Notes()
            let trainer = try Trainer(
                recipe, dataset: images, folder: RunFolder(folder), methods: Self.methods, options: tinyOptions(observer: notes))
            let scale =
                switch scaling {
                case .linear: 56.0 / 256
                case .squareRoot: 56.0.squareRoot()
                case .none: 1.0
                }
            let method = try #require(trainer.method as? ScalarMethod)
            #expect(try trainer.run() == .finished)
            #expect(abs(0.5 - method.b.value.value.item - 3 * 0.01 * scale) < 1e-6)
            let batches = "there are only 56 images: batches of 56 instead of 5600"
            #expect(notes.messages.first == batches + (scaling == .none ? "" : ", and the learning rate is scaled by these"))
        }
    }

    @Test(arguments: [[0, 1, 56], [3, -1], [1, 2]]) func impossibleOrders(_ start: [Int]) throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let methods = MethodRegistry([MethodEntry(BadOrder.self)])
            var settings = BadOrder.Settings()
            settings.order = start.contains(2) ? start : start + Array(repeating: 0, count: 20)
            var recipe = try tinyRecipe("bad-order", methods)
            recipe.method.settings = settings
            let trainer = try Trainer(recipe, dataset: images, folder: RunFolder(folder), methods: methods, options: tinyOptions())
            let error = #expect(throws: TrainingError.self) { try trainer.run() }
            #expect(error?.description.contains("set an order of \(settings.order.count) images for epoch 1") == true)
        }
    }
}

/// A method with a mistake.
private final class BadOrder: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var order: [Int] = []
    }

    static let card = MethodCard(name: "bad-order", title: "BadOrder", family: .pretext, paper: "none", summary: "for tests")
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.evaluation(size: ImageSize(imageSize))
    }

    let encoder: Encoder
    private let order: [Int]

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        order = settings.order
    }

    func loss(_ batch: Batch, _ step: Step) -> Losses { ["h": encoder(batch.views[0]).mean()] }
    func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws { services.setOrder(order) }
}
