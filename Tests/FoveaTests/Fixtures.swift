import Foundation
import Fovea
import Testing
import TestSupport

/// 40 labelled image files.
func writeImages(_ count: Int = 40, to folder: String) throws {
    let shapes = SyntheticShapes(count: count, side: 16, seed: 1)
    for index in 0..<count {
        let bytes = ImageEncoder.png(try shapes.image(at: index, coveringAtLeast: nil))
        try AtomicFile.write(bytes, to: "\(folder)/\(shapes.name(at: index))", synced: false)
    }
}

/// A run of a second.
func tinyRecipe(_ method: String = "simclr", _ methods: MethodRegistry = .standard) throws -> Recipe {
    var recipe = Recipe(method: MethodChoice(try methods.entry(named: method)))
    recipe.backbone = BackboneSettings("resnet18", width: 4, stem: .small)
    recipe.data.imageSize = 16
    recipe.training.epochs = 2
    recipe.training.batchSize = 16
    recipe.monitoring.healthImages = 16
    return recipe
}

func tinyOptions(shouldStop: @escaping () -> Bool = { false }) -> Trainer.Options {
    Runtime.threads = 2
    var options = Trainer.Options()
    options.rehearses = false
    options.shouldStop = shouldStop
    return options
}

/// A method of a program's own: brightness by regression.
final class Brightness: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var scale = 1.0
    }

    static let card = MethodCard(
        name: "brightness", title: "Brightness", family: .pretext, paper: "none", summary: "tells how bright an image is",
        hasPositivePairs: false)
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    let encoder: Encoder
    let head: Linear
    private let scale: Double

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        head = Linear(encoder.outputWidth, 1)
        scale = settings.scale
    }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let brightness = (pixels.to(.float32) / 255).contiguous().flattened(from: 1).mean(1) * scale
        return ["brightness": (head(encoder(pixels)).flattened() - brightness).squared().mean()]
    }
}
