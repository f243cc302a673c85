import Backbones
import TestSupport
import Testing
import Torch

@testable import Methods

/// Shows a method the same images as often as it asks.
private struct Images: RunServices {
    let pixels: Tensor
    var sampleCount: Int { pixels.size(0) }
    var batchSize: Int { 4 }
    var labels: [Int] { [Int](repeating: -1, count: sampleCount) }

    func features(_ body: (Tensor) -> Tensor) throws -> Tensor { withoutGradients { body(pixels) } }
    func setOrder(_ indices: [Int]) {}
    func resetOptimizerState(of module: Module) {}
}

/// A memory bank begins with what the untrained network says of each image.
@Suite struct MemoryBankStartTests {
    private let images: Images
    private let context: MethodContext

    init() {
        Runtime.seed(71)
        context = tinyContext()
        images = Images(pixels: (Tensor.rand([context.sampleCount, 3, 16, 16]) * 256).to(.uint8))
    }

    private func expectBegun(_ method: some SelfSupervisedMethod, _ banks: [MemoryBank]) throws {
        let before = banks.map { $0.entries.value.cloned() }
        try method.evaluating { try method.prepareRun(images) }
        let embeddings = method.evaluating {
            withoutGradients { method.embedding(method.encoder(images.pixels))! }.chunks(banks.count, dimension: 1)
        }
        for (bank, (embedding, before)) in zip(banks, zip(embeddings, before)) {
            expectClose(bank.entries.value, embedding.normalized(), .float32)
            #expect(difference(bank.entries.value, before, .float32) != nil)
        }
    }

    @Test func instanceDiscrimination() throws {
        var settings = InstanceDiscrimination.Settings()
        (settings.outputWidth, settings.negatives) = (8, 0)
        let exact = try InstanceDiscrimination(settings, context)
        try expectBegun(exact, [exact.memory.bank])
        // The constant of noise contrast is estimated by random vectors.
        settings.negatives = 6
        let sampled = try InstanceDiscrimination(settings, context)
        let before = sampled.memory.bank.entries.value.cloned()
        try sampled.prepareRun(images)
        expectSame(sampled.memory.bank.entries.value, before)
    }

    @Test func cmc() throws {
        var settings = CMC.Settings()
        (settings.outputWidth, settings.negatives) = (8, 0)
        let exact = try CMC(settings, context)
        try expectBegun(exact, exact.memories.map(\.bank))
        settings.negatives = 6
        let sampled = try CMC(settings, context)
        let before = sampled.memories.map { $0.bank.entries.value.cloned() }
        try sampled.prepareRun(images)
        for (memory, before) in zip(sampled.memories, before) { expectSame(memory.bank.entries.value, before) }
    }

    @Test func pirl() throws {
        var settings = PIRL.Settings()
        (settings.outputWidth, settings.negatives, settings.transform) = (8, 6, .rotation)
        let method = try PIRL(settings, context)
        try expectBegun(method, [method.bank])
    }

    @Test func localAggregation() throws {
        var settings = LocalAggregation.Settings()
        (settings.outputWidth, settings.neighbours, settings.clusters) = (8, 5, 3)
        let method = try LocalAggregation(settings, context)
        try expectBegun(method, [method.bank])
    }
}
