import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Training
import Views

@testable import Evaluation

@Suite(.serialized) struct FineTuneRecipeTests {
    private func task(_ images: Int, share: Double = 1, side: Int = 32) -> FineTuneRecipe.Task {
        .init(images: images, share: share, area: side * side, imageSize: side)
    }

    private func encoder(_ side: Int = 32) throws -> Encoder {
        Runtime.seed(3)
        return try Encoder(BackboneSettings("resnet18", width: 4), imageSize: side)
    }

    private func recipe(_ recipe: FineTuneRecipe, _ images: Int, share: Double = 1, side: Int = 32) throws -> Recipe {
        let tuning = FineTuning(plans: { _, _ in [] }, seed: 0, threads: 0, device: .cpu)
        return try tuning.recipe(from: encoder(side), images: images, plan: recipe.plans(task(images, share: share, side: side))[0])
    }

    /// Against the published rule (generate_finetuning.py), in batches of 512.
    @Test(arguments: [("small", 19_456), ("medium", 102_400), ("large", 1_024_000)])
    func bitHasThePublishedSchedule(name: String, images: Int) throws {
        let values = try ReferenceValues.load("finetuning").under("bit").under(name)
        let found = try recipe(.bit, images)
        let total = found.training.epochs * (images / 512)
        // Whole epochs: up to half an epoch more or less than the rule's steps.
        let wanted = values["total"].ints[0]
        #expect(abs(total - wanted) <= images / 512 / 2)
        for (step, rate) in zip(values["steps"].ints, values["rates"].doubles) {
            let schedule = found.training.rateSchedule.value(at: step, of: wanted)
            #expect(abs(schedule - rate) <= 1e-9, "step \(step)")
        }
    }

    @Test func bitChoosesByImagesAndTheirArea() throws {
        #expect(FineTuneRecipe.bitSides(area: 96 * 96 - 1) == .init(resized: 160, crop: 128))
        #expect(FineTuneRecipe.bitSides(area: 96 * 96) == .init(resized: 448, crop: 384))
        func plan(_ images: Int) -> FineTuneRecipe.Plan { FineTuneRecipe.bit.plans(task(images))[0] }
        #expect(plan(19_999).mixUp == 0 && plan(20_000).mixUp == 0.1)
        #expect(
            [19_999, 20_000, 499_999, 500_000].map { plan($0).length } == [.steps(500), .steps(10_000), .steps(10_000), .steps(20_000)])
        #expect(plan(10).batchSize == 512 && plan(10).learningRate == 0.003 && plan(10).weightDecay == 0)
        let scaled = FineTuneRecipe.bitScaled.plans(task(2_500))[0]
        #expect(scaled.length == .steps(1250) && scaled.mixUp == 0.1 && scaled.batchSize == 64)
        #expect(scaled.sides == .init(resized: 40, crop: 32))
        // At 128 pixels a network would by itself get the large-image stem, which these weights have not.
        let found = try recipe(.bit, 512)
        #expect(found.backbone.stem == .small && found.data.imageSize == 128 && found.views?.views[0].size == ImageSize(128))
    }

    @Test func theOthersAreTheirPapers() throws {
        let simclr = try recipe(.simclr, 12_800, share: 0.01)
        #expect(simclr.training.epochs == 60 && simclr.training.batchSize == 4096 && simclr.training.optimizer.nesterov)
        #expect(abs(simclr.training.scaledLearningRate - 0.8) < 1e-12 && simclr.training.weightDecay == 0)
        #expect(try recipe(.simclr, 12_800, share: 0.1).training.epochs == 30)
        let second = try recipe(.simclrv2, 12_800, share: 0.01)
        #expect(second.training.optimizer.name == .lars && abs(second.training.scaledLearningRate - 0.16) < 1e-12)
        #expect(FineTuneRecipe.simclrv2.plans(task(100, share: 0.1))[0].beginsInHead)
        #expect(!FineTuneRecipe.simclrv2.plans(task(100, share: 1))[0].beginsInHead)
        let byol = FineTuneRecipe.byol.plans(task(2048))
        #expect(Set(byol.map(\.learningRate)) == [0.005, 0.01, 0.02, 0.05, 0.1] && byol.count == 10)
        // Of transfer seven rates and seven decays or none, as decay / rate; from scratch twice as long with another grid.
        let transfer = FineTuneRecipe.simclrTransfer.plans(task(2048))
        var scratch = task(2048)
        scratch.isFromScratch = true
        let own = FineTuneRecipe.simclrTransfer.plans(scratch)
        #expect(transfer.count == 56 && transfer.allSatisfy { $0.length == .steps(20_000) && $0.batchSize == 256 && $0.scaling == .none })
        #expect(own.count == 56 && own.allSatisfy { $0.length == .steps(40_000) && $0.weightDecay > 0 })
        #expect(transfer.count { $0.weightDecay == 0 } == 7)
        func near(_ value: Double, _ wanted: Double) -> Bool { abs(value / wanted - 1) < 1e-9 }
        #expect(near(transfer[0].learningRate, 1e-4) && near(transfer[0].weightDecay, 1e-2) && near(transfer[55].learningRate, 0.1))
        #expect(near(transfer[8].learningRate, 1e-4 * pow(10, 0.5)) && near(transfer[54].weightDecay, 1e-2))
        #expect(near(own[0].weightDecay, 1e-2) && near(own[55].weightDecay, pow(10, -1.5)) && near(own[55].learningRate, 1))
        // Of few images the batch, and with it the rate, is smaller.
        let few = try recipe(.simclr, 100, share: 0.01)
        #expect(few.training.batchSize == 100 && abs(few.training.scaledLearningRate - 0.05 * 100 / 256) < 1e-12)
    }

    /// Whatever a recipe chooses among, training from scratch never has fewer steps than fine-tuning on the same images.
    @Test(arguments: FineTuneRecipe.allCases, [12, 300, 20_000])
    func theSupervisedBaselineHasNoFewerSteps(recipe: FineTuneRecipe, images: Int) throws {
        let start = try encoder()
        func steps(_ baseline: FineTuneProtocol.Baseline, fromScratch: Bool, epochs: Int? = nil) throws -> [Int] {
            var tuning = FineTuneProtocol()
            (tuning.recipe, tuning.baseline, tuning.epochs) = (recipe, baseline, epochs)
            let extraction = FeatureExtraction(imageSize: 32, threads: 0)
            let found = try tuning.tuning(of: images, seed: 0, extraction, fromScratch: fromScratch)
            let plans = found.plans(Labelled.cycling(images, 4), start)
            // Of a handful of images BiT's batches are filled by repeating them.
            func steps(_ plan: FineTuneRecipe.Plan) throws -> Int {
                let seen = plan.fillsBatches ? max(images, (plan.batchSize + images - 1) / images * images) : images
                let recipe = try found.recipe(from: start, images: seen, plan: plan)
                return recipe.training.epochs * max(1, seen / recipe.training.batchSize)
            }
            let last = found.refinements.last.map { [$0.change(plans[0])] } ?? []
            return try (plans + last).map(steps)
        }
        for epochs in [nil, 7] {
            let most = try steps(.tuned, fromScratch: false, epochs: epochs).max()!
            for baseline in FineTuneProtocol.Baseline.allCases {
                let own = try steps(baseline, fromScratch: true, epochs: epochs)
                #expect(own.min()! >= most)
                // And tuned, at least twice as many if that does better.
                if baseline == .tuned, recipe != .simclrTransfer { #expect(own.max()! >= 2 * most) }
            }
        }
    }

    @Test func onlyTheBaselineIsRefined() throws {
        func tuning(_ recipe: FineTuneRecipe, _ baseline: FineTuneProtocol.Baseline, _ fromScratch: Bool) throws -> FineTuning {
            var tuning = FineTuneProtocol()
            (tuning.recipe, tuning.baseline) = (recipe, baseline)
            return try tuning.tuning(of: 100, seed: 0, FeatureExtraction(imageSize: 32, threads: 0), fromScratch: fromScratch)
        }
        #expect(try tuning(.small, .tuned, true).refinements.count == 3)
        for (recipe, baseline, fromScratch) in [
            (FineTuneRecipe.small, FineTuneProtocol.Baseline.tuned, false), (.small, .same, true), (.simclrTransfer, .tuned, true),
        ] { #expect(try tuning(recipe, baseline, fromScratch).refinements.isEmpty) }
    }

    /// Where the best values are known: the search goes up while that helps, and takes what is no better not at all.
    @Test func theSearchClimbsWhileItHelps() throws {
        let plans = [0.05, 0.4].map { FineTuneRecipe.Plan(length: .epochs(60), batchSize: 64, learningRate: $0) }
        var tried: [FineTuneRecipe.Plan] = []
        func best(_ value: @escaping (FineTuneRecipe.Plan) -> Double) throws -> FineTuneRecipe.Plan {
            tried = []
            return try FineTuning.best(of: plans, FineTuneRecipe.refinementsFromScratch) { plan in
                tried.append(plan)
                return value(plan)
            }
        }
        // Best at 0.4 · 3² without decay and twice as long.
        let found = try best { plan in
            -abs(log(plan.learningRate / 3.6)) - (plan.weightDecay > 0 ? 1 : 0) - abs(Double(plan.lengthening) - 2)
        }
        #expect(abs(found.learningRate - 3.6) < 1e-12 && found.weightDecay == 0 && found.lengthening == 2)
        // Two plans, rates of 1.2, 3.6 and 10.8, one decay, lengths of 2 and 4.
        #expect(tried.count == 2 + 3 + 1 + 2)
        // Equally good is not better: the first, and one try of each change.
        #expect(try best { _ in 0.5 } == plans[0] && tried.count == 2 + 3)
        #expect(try best { Double($0.lengthening) + $0.weightDecay }.lengthening == 4)
        #expect(try best { Double($0.lengthening) + $0.weightDecay }.weightDecay == 5e-4)
        // A recipe's own decay that is larger stays.
        var own = plans[0]
        own.weightDecay = 0.01
        #expect(FineTuneRecipe.refinementsFromScratch[1].change(own) == own)
        #expect(own.summary == "lr=0.05, 60 epochs, weight decay 0.01" && found.summary == "lr=3.6, 120 epochs")
    }

    /// Rates × decayᴸ⁻ⁱ, against PyTorch with a group for each depth.
    @Test func layerDecayIsARatePerDepth() throws {
        let values = try ReferenceValues.load("finetuning").under("decay")
        let parameters = (0..<6).map { Parameter(values["before.\($0)"]) }
        func trained(_ decay: Double) -> [Tensor] {
            let own = parameters.map { Parameter($0.value.detached().cloned()) }
            let sgd = SGD(
                own.enumerated().flatMap { depth, one in [one].groups(weightDecay: 0, learningRateScale: pow(decay, Double(5 - depth))) },
                momentum: 0.9, nesterov: true)
            for _ in 0..<3 {
                sgd.clearGradients()
                own.map { ($0.value.squared().squared() / 4 + $0.value).sum() }.reduce(Tensor(scalar: 0.0)) { $0 + $1 }.backward()
                sgd.step(learningRate: 0.2)
            }
            return own.map { $0.value.detached() }
        }
        for (depth, value) in trained(0.65).enumerated() { expectClose(value, values["after.\(depth)"], .float64) }
        #expect(difference(trained(0.6)[0], values["after.0"], .float64) != nil)
        expectClose(trained(1)[5], values["after.5"], .float64)
    }

    @Test func headsComeFromProjectors() throws {
        let first = Tensor.randn([24, 32])
        let norm: StateDict = [
            "1.weight": .ones([24]), "1.bias": .zeros([24]), "1.running_mean": .zeros([24]), "1.running_var": .ones([24]),
            "1.num_batches_tracked": .zeros([], .int64),
        ]
        let head = try ProjectionHead(norm.merging(["0.weight": first, "3.weight": .randn([8, 24])]) { $1 }, inputs: 32)
        #expect(head.width == 24 && head.hasBatchNorm && head.state.count == 6)
        let plain = try ProjectionHead(
            ["0.weight": first, "0.bias": .zeros([24]), "2.weight": .randn([8, 24]), "2.bias": .zeros([8])], inputs: 32)
        #expect(!plain.hasBatchNorm && plain.state.keys.sorted() == ["0.bias", "0.weight"])
        for (state, part) in [
            (["0.weight": first, "0.bias": .zeros([24])] as StateDict, "no hidden layer"), (["0.weight": .randn([24, 16])], "32 features"),
            ([:], "32 features"),
        ] {
            let error = #expect(throws: EvaluationError.self) { try ProjectionHead(state, inputs: 32) }
            #expect(error?.description.contains(part) == true)
        }
    }

    @Test func foldersOfKilledProcessesAreRemoved() throws {
        try withTemporaryFolder { folder in
            let manager = FileManager.default
            // Beyond the largest process number of any system.
            for name in ["fovea-finetune-2147483000-A", "fovea-finetune-\(getpid())-B", "fovea-finetune-mine", "else"] {
                try manager.createDirectory(atPath: "\(folder)/\(name)/checkpoints", withIntermediateDirectories: true)
            }
            let path = ScratchFolder.make(in: folder)
            #expect(path.hasPrefix("\(folder)/fovea-finetune-\(getpid())-") && !manager.fileExists(atPath: path))
            #expect(
                try manager.contentsOfDirectory(atPath: folder).sorted() == ["else", "fovea-finetune-\(getpid())-B", "fovea-finetune-mine"])
        }
    }
}
