import Foundation
import Files
import Fovea
import Testing
import TestSupport

@testable import Methods
@testable import Training

/// SimSiam with the gradient through both sides (Chen and He 2021, figure 2).
private final class SimSiamWithoutStopGradient: Module, SelfSupervisedMethod {
    typealias Settings = SimSiam.Settings

    static let card = MethodCard(
        name: "simsiam-ablated", title: "SimSiam without stop-gradient", family: .teacherStudent, paper: "for tests", summary: "collapses")
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker { try SimSiam.views(settings, imageSize: imageSize) }

    let whole: SimSiam

    init(_ settings: Settings, _ context: MethodContext) throws { whole = try SimSiam(settings, context) }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = batch.views.map { whole.online($0).normalized() }
        let p = batch.views.map { whole.predictor(whole.online($0)).normalized() }
        return ["cosine": -((p[0] * z[1]).sum(1).mean() + (p[1] * z[0]).sum(1).mean()) / 2]
    }

    var encoder: Encoder { whole.encoder }
    func embedding(_ representation: Tensor) -> Tensor? { whole.embedding(representation) }
}

/// BYOL whose projection is compared with the target's directly (Grill et al. 2020, table 5b).
private final class BYOLWithoutPredictor: Module, SelfSupervisedMethod {
    typealias Settings = BYOL.Settings

    static let card = MethodCard(
        name: "byol-ablated", title: "BYOL without predictor", family: .teacherStudent, paper: "for tests", summary: "collapses")
    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker { try BYOL.views(settings, imageSize: imageSize) }

    let whole: BYOL

    init(_ settings: Settings, _ context: MethodContext) throws { whole = try BYOL(settings, context) }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let (v, w) = (batch.views[0], batch.views[1])
        let z = withoutGradients { (whole.target(v), whole.target(w)) }
        return ["regression": BYOL.regression((whole.online(v), whole.online(w)), z)]
    }

    var encoder: Encoder { whole.encoder }
    func embedding(_ representation: Tensor) -> Tensor? { whole.embedding(representation) }
    var movingAverages: [MovingAverage] { whole.movingAverages }
}

/// What the papers took away, and what then happens, is told by name within a few epochs, with what helps; the whole methods
/// on the same images with the same optimiser are not accused.
@Suite struct CollapseTests {
    private static let methods =
        MethodRegistry.standard + [MethodEntry(SimSiamWithoutStopGradient.self), MethodEntry(BYOLWithoutPredictor.self)]

    private static let images = try! TinyImages(192)

    /// What the health check says of the last epoch.
    private func verdict(_ name: String, epochs: Int = 6, rate: Double, _ changes: [String: Any] = [:]) throws -> HealthVerdict {
        var recipe = try tinyRecipe(name, Self.methods)
        func changed<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings { try with(settings, changes) }
        recipe.method.settings = try changed(recipe.method.settings)
        recipe.training.epochs = epochs
        recipe.training.batchSize = 32
        recipe.training.learningRate = rate
        recipe.training.learningRateScaling = .none
        recipe.training.schedule = .constant
        recipe.training.warmUpEpochs = 0
        recipe.monitoring.knnEveryEpochs = 0
        recipe.monitoring.keepEveryEpochs = 0
        recipe.monitoring.healthImages = 96
        return try withTemporaryFolder { folder in
            try wholeRun(recipe, Self.images, folder, Self.methods, options: tinyOptions(threads: 2))
            let file = URL(fileURLWithPath: "\(folder)/health.json")
            return try JSONDecoder().decode(HealthVerdict.self, from: Data(contentsOf: file))
        }
    }

    @Test func simSiamWithoutStopGradient() throws {
        let settings: [String: Any] = ["outputWidth": 32, "hiddenWidth": 32]
        let found = try verdict("simsiam-ablated", rate: 0.3, settings)
        // Batch normalisation keeps the outputs from one point, but not from one line.
        #expect(found.status != .ok && found.messages[0].hasPrefix("dimensional collapse: the projection uses about 1."))
        #expect(found.messages[0].contains("check the stop-gradient and the predictor"))
        #expect(try verdict("simsiam", rate: 0.1, settings).status == .ok)
    }

    @Test func byolWithoutPredictor() throws {
        let settings: [String: Any] = ["targetDecay": 0.9, "hiddenWidth": 64, "outputWidth": 32]
        let found = try verdict("byol-ablated", rate: 0.1, settings)
        #expect(found.status == .collapsed)
        #expect(found.messages[0].hasPrefix("constant collapse") && found.messages[0].contains("the predictor"))
        #expect(try verdict("byol", rate: 0.1, settings).status == .ok)
    }

    @Test func vicRegWithoutVariance() throws {
        let settings: [String: Any] = ["hiddenWidth": 64, "outputWidth": 32]
        let found = try verdict("vicreg", rate: 0.03, settings.merging(["varianceWeight": 0]) { $1 })
        #expect(found.status == .collapsed)
        #expect(found.messages[0].hasPrefix("constant collapse: the projection shrinks"))
        #expect(found.messages[0].contains("give the variance term"))
        #expect(try verdict("vicreg", rate: 0.03, settings).status == .ok)
    }

    @Test func dinoWithoutCentringAndWithoutSharpening() throws {
        let settings: [String: Any] = [
            "hiddenWidth": 64, "bottleneckWidth": 32, "prototypes": 64, "teacherDecay": 0.99, "smallViews": 0, "headBatchNorm": true,
        ]
        let uncentred = try verdict("dino", rate: 0.03, settings.merging(["centreMomentum": 1]) { $1 })
        #expect(uncentred.messages[0].hasPrefix("one-hot collapse") && uncentred.messages[0].contains("check centering"))
        let flat = try verdict("dino", rate: 0.03, settings.merging(["teacherTemperature": 1.0]) { $1 })
        #expect(flat.messages[0].hasPrefix("uniform collapse") && flat.messages[0].contains("lower the teacher temperature"))
        #expect(try verdict("dino", rate: 0.03, settings).status == .ok)
    }
}
