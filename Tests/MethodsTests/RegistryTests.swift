import Backbones
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// A method of a program's own: pushes the variance of each feature towards 1.
private final class UnitVariance: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var weight = 2.0

        func validate() throws(SettingsError) {
            if weight <= 0 { throw SettingsError("method.weight must be above 0, not \(weight)") }
        }
    }

    static let card = MethodCard(
        name: "unit_variance", title: "Unit variance", family: .redundancyReduction, paper: "none", summary: "keeps features apart",
        leastBatch: 4)

    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    let encoder: Encoder
    private let weight: Double

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        weight = settings.weight
    }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        ["variance": (encoder(batch.views[0]).variance(0) - 1).squared().mean() * weight]
    }
}

@Suite struct RegistryTests {
    @Test func everyMethodCanBeMadeAndHasALoss() throws {
        for entry in MethodRegistry.standard.entries {
            let settings = try tinySettings(of: entry)
            Runtime.seed(1)
            let context = entry.card.needsPatches ? patchContext() : tinyContext()
            let method = try entry.make(settings, context)
            let views = try entry.views(settings, imageSize: 16).outputs
            // Of those that see tiles it is a picture of these.
            #expect(views[0].imageSize == ImageSize(16) || entry.card.family == .pretext && views[0].imageSize != nil, "\(entry.card.name)")
            let count = max(method.leastBatch, 4)
            var batch = noise(0, count)
            batch.views = views.filter { $0.imageSize != nil }.map { (Tensor.rand([count, 3, $0.shape[0], $0.shape[1]]) * 256).to(.uint8) }
            for output in views where output.imageSize == nil { batch.targets[output.name] = noise(output, count) }
            let losses = method.loss(batch, firstStep)
            #expect(losses.total.shape == [] && losses.total.item.isFinite, "\(entry.card.name)")
            losses.total.backward()
            // Frozen are fixed positions and a patch projection, or all where the moving average of what is trained is kept.
            let frozen = method.encoder.parameters.filter { !$0.isTrainable }
            let averaged = method.movingAverages.flatMap(\.target.parameters)
            #expect(
                frozen.count <= 3 || frozen.allSatisfy { weight in averaged.contains { $0 === weight } || weight.value.rank == 3 },
                "\(entry.card.name)")
            #expect(method.encoder.parameters.allSatisfy { $0.value.gradient != nil || !$0.isTrainable }, "\(entry.card.name)")
            #expect(method.parameters.contains { $0.value.gradient != nil }, "\(entry.card.name)")
            #expect(method.parameters.allSatisfy { $0.isTrainable || $0.value.gradient == nil }, "\(entry.card.name)")
            method.movingAverages.forEach { $0.update(firstStep) }
            method.afterStep(batch, firstStep)
            let second = method.loss(batch, Step(epoch: 1, index: 1, total: 10)).total.item
            #expect(second.isFinite, "\(entry.card.name), second step")
            if let z = method.embedding(.randn([3, method.encoder.outputWidth])) {
                #expect(z.rank == 2 && z.size(0) == 3, "\(entry.card.name)")
            }
            #expect(method.encoder.outputWidth == (entry.card.needsPatches ? 48 : 32))
            #expect(type(of: method).card == entry.card && !entry.card.summary.isEmpty && !entry.card.paper.isEmpty)
        }
        #expect(
            MethodRegistry.standard.entries.map(\.card.name) == [
                "simclr", "dcl", "moco", "moco_v3", "nnclr", "ressl", "supcon", "instance_discrimination", "pirl", "cmc", "amdim", "cpc",
                "all4one", "triplet", "swav", "deepcluster", "deepcluster_v2", "local_aggregation", "smog", "byol", "simsiam", "dino",
                "bownet", "obow", "barlow_twins", "vicreg", "vicregl", "vibcreg", "w_mse", "tico", "lejepa", "mae", "simmim", "maskfeat",
                "ijepa", "data2vec", "ibot", "msn", "rotnet", "supervised", "mean_teacher", "relative_patch", "jigsaw",
                "jigsaw_plus_plus", "damaged_jigsaw",
                "colorization", "split_brain", "autoencoder", "vae", "context_encoder", "exemplar", "bigbigan",
                "s4l", "pseudo_label", "entropy_minimization", "frame_order", "playback_rate", "temporal_transformation",
                "motion_estimation", "temporal_contrast", "dense_predictive_coding", "object_consistency",
                "maskfeat_video",
            ])
    }

    @Test func aProgramAddsItsOwn() throws {
        let registry = MethodRegistry.standard + [MethodEntry(UnitVariance.self)]
        #expect(registry.entries.count == MethodRegistry.standard.entries.count + 1)
        let entry = try registry.entry(named: "unit_variance")
        var settings = try #require(entry.settings.init() as? UnitVariance.Settings)
        settings.weight = 3
        let method = try entry.make(settings, tinyContext())
        let batch = noise(1, 8)
        let losses = method.loss(batch, firstStep)
        let h = method.encoder(batch.views[0])
        expectClose(losses.total, (h.variance(0) - 1).squared().mean() * 3, .float32)
        losses.total.backward()
        #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
        #expect(method.phases.count == 1 && method.phases[0].parts[0].module === method)
        #expect(method.movingAverages.isEmpty && method.projector == nil && method.embedding(h) == nil)
        #expect(try registry.entry(named: "simclr").card.title == "SimCLR")
        #expect(message { try registry.entry(named: "unit_varianse") }?.contains("did you mean 'unit_variance'?") == true)
        #expect(message { try MethodRegistry.standard.entry(named: "unit_variance") } != nil)
        settings.weight = 0
        #expect(message { try settings.validate() } == "method.weight must be above 0, not 0.0")
    }

    @Test func unknownNames() {
        #expect(
            message { try MethodRegistry.standard.entry(named: "simclrr") }
                == "no method is named 'simclrr' (did you mean 'simclr'?); `fovea methods` lists them")
        #expect(message { try MethodRegistry.standard.entry(named: "SimCLR") }?.contains("did you mean 'simclr'?") == true)
        #expect(
            message { try MethodRegistry.standard.entry(named: "hypnosis") }
                == "no method is named 'hypnosis'; `fovea methods` lists them")
    }
}
