import Fovea
import Testing

/// A made-up method that uses everything a method can ask for: two phases with optimisers of their own, one of them repeated,
/// a part at a constant rate; labels, an order and a head anew in every epoch; a bank of features, dropout, a moving average.
final class TwoNetworks: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var bankDecay = 0.5
    }

    static let card = MethodCard(
        name: "two-networks", title: "TwoNetworks", family: .clustering, paper: "none", summary: "for tests", hasPositivePairs: false)

    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker { try ViewRecipe.rotNet(size: ImageSize(imageSize)) }

    let encoder: Encoder
    let teacher: Encoder
    let critic: Linear
    let head: Linear
    /// [samples, width]: the last features.
    let bank: Buffer
    /// [samples]: which of 4 groups.
    let groups: Buffer
    private let bankDecay: Double

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        teacher = try context.makeEncoder()
        critic = Linear(encoder.outputWidth, 4)
        head = Linear(encoder.outputWidth, 4)
        bank = Buffer(.zeros([context.sampleCount, encoder.outputWidth]))
        groups = Buffer(.zeros([context.sampleCount], .int64))
        bankDecay = settings.bankDecay
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    var phases: [Phase] {
        [
            Phase("critic", [.init(critic)], repeats: 2),
            Phase("network", [.init(encoder), .init(head, learningRateScale: 0.5, hasConstantRate: true)]),
        ]
    }

    var movingAverages: [MovingAverage] { [MovingAverage(of: encoder, into: teacher, decay: .constant(0.9), buffers: .average)] }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let h = encoder(batch.views[0]).dropout(0.2, training: true)
        let target = groups.value.rows(batch.indices)
        if step.phase == 0 { return ["group": critic(h.detached()).crossEntropy(target)] }
        let distance = (h - bank.value.rows(batch.indices)).squared().mean()
        return ["group": head(h).crossEntropy(target), "distance": distance * 0.1]
    }

    func prepareRun(_ services: any RunServices) throws {
        bank.set(try services.features { self.encoder($0) })
    }

    func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        let features = try services.features { self.teacher($0) }
        groups.set(features.narrowed(1, from: 0, count: 4).argmax(1))
        services.setOrder((0..<services.sampleCount).map { ($0 * 5 + epoch) % services.sampleCount })
        withoutGradients { head.weight.value.detached().normalInPlace(standardDeviation: 0.05) }
        services.resetOptimizerState(of: head)
    }

    func afterStep(_ batch: Batch, _ step: Step) {
        let h = evaluating { encoder(batch.views[0]) }
        let mixed = bank.value.rows(batch.indices) * bankDecay + h * (1 - bankDecay)
        bank.value.indexCopyInPlace(0, batch.indices, mixed)
    }
}
