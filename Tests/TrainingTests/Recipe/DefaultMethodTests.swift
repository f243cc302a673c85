import Foundation
import Fovea
import Testing

@testable import Training

/// What is chosen for whoever names no method.
@Suite struct DefaultMethodTests {
    @Test(arguments: [
        (60, Device.cpu, "dcl"), (1279, .cpu, "dcl"), (1280, .cpu, "simclr"), (10_000, .cpu, "simclr"), (1_000_000, .cpu, "simclr"),
        (900, .cuda(0), "dcl"), (99_999, .cuda(0), "simclr"), (100_000, .cuda(0), "moco"),
    ])
    func suitsTheImagesAndTheDevice(_ images: Int, _ device: Device, _ name: String) throws {
        let chosen = DefaultRecipe.method(for: images, on: device)
        #expect(chosen.name == name)
        #expect(chosen.reason.count > 40 && !chosen.reason.contains("\n"))
        // The reason's batch is the recipe's.
        if name != "moco" {
            let recipe = try DefaultRecipe.make(method: chosen.name, for: Many(count: images))
            #expect(chosen.reason.contains("batches of \(recipe.training.batchSize)"))
        }
        #expect(try MethodRegistry.standard.entry(named: name).card.needsLabels == false)
    }

    /// What a million images can bear, 300 often cannot: every method is built as it is chosen by name alone.
    @Test(arguments: MethodRegistry.standard.entries.map(\.card).filter { !$0.needsClips && $0.name != "bownet" }.map(\.name))
    func everyMethodCanBeHadByItsNameWithFewImages(_ method: String) throws {
        let images = Many(count: 300, classNames: ["a", "b"])
        var recipe = try DefaultRecipe.make(method: method, for: images)
        #expect(recipe.training.batchSize == 16)
        recipe.backbone.width = min(recipe.backbone.width, 16)
        let entry = try MethodRegistry.standard.entry(named: method)
        try recipe.validate(entry)
        let made = try entry.make(
            recipe.method.settings,
            MethodContext(backbone: recipe.backbone, imageSize: recipe.data.imageSize, sampleCount: 300, classCount: 2))
        #expect(made.leastBatch <= recipe.training.batchSize)
        // With a million images the settings are the published ones, batches aside.
        #expect(entry.settings.init().suited(toImages: 1_300_000, batchSize: 256).isPublished(butFor: ["lossScale"]))
    }

    @Test func countsSuitTheImages() throws {
        func settings<Settings>(_ method: String, _ images: Int, as type: Settings.Type) throws -> Settings {
            try #require(try DefaultRecipe.make(method: method, for: Many(count: images)).method.settings as? Settings)
        }
        #expect(try settings("swav", 10_000, as: SwAV.Settings.self).prototypes == 1000)
        #expect(try settings("deepcluster", 300, as: DeepCluster.Settings.self).clusters == 30)
        let moco = try settings("moco", 10_000, as: MoCo.Settings.self)
        #expect(moco.queueLength == 5000 && moco.batchNormParts == 8)
        #expect(try settings("moco", 300, as: MoCo.Settings.self).batchNormParts == 1)
        #expect(try settings("instance_discrimination", 10_000, as: InstanceDiscrimination.Settings.self).negatives == 0)
        let smog = try settings("smog", 10_000, as: SMoG.Settings.self)
        #expect(smog.groups == 1000 && smog.queueLength == 5000 && smog.regroupEvery == 19)
    }

    private struct Many: ImageDataset {
        let count: Int
        var classNames: [String] = []
        func label(at index: Int) -> Int? { classNames.isEmpty ? nil : index % classNames.count }
        func name(at index: Int) -> String { "\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            PixelImage(width: 32, height: 32, pixels: [UInt8](repeating: 9, count: 32 * 32 * 3))
        }
    }
}

extension MethodSettings {
    /// Whether these are the published settings, but for those named.
    fileprivate func isPublished(butFor names: Set<String>) -> Bool {
        zip(Mirror(reflecting: self).children, Mirror(reflecting: Self()).children).allSatisfy { own, published in
            names.contains(own.label ?? "") || "\(own.value)" == "\(published.value)"
        }
    }
}
