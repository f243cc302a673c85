import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// The loss against −log softmax in float64 (generate.py, `rotation`), and the views that the loader makes.
@Suite struct RotNetTests {
    private func mistake(_ loss: (Tensor) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("methods").under("rotation")
        let logits = values["logits"]
        logits.requiresGradient = true
        let value = loss(logits)
        value.backward()
        let gradient = try #require(logits.gradient)
        return difference(value.detached(), values["loss"], .float64) ?? difference(gradient, values["gradient.logits"], .float64)
    }

    @Test func lossAndGradientAreThePapers() throws { #expect(try mistake { RotNet.losses($0).total } == nil) }

    @Test func wrongVariantsAreNoticed() throws {
        func entropy(_ logits: Tensor, _ turns: (Int) -> Int) -> Tensor {
            let n = logits.size(0)
            return logits.crossEntropy(Tensor((0..<n).map { turns($0) }))
        }
        #expect(try mistake { entropy($0) { $0 / 24 } } == nil)
        #expect(try mistake { entropy($0) { $0 % 4 } } != nil, "rotations of an image one after the other")
        #expect(try mistake { entropy($0) { 3 - $0 / 24 } } != nil, "turned the other way")
        #expect(try mistake { entropy($0) { ($0 / 24 + 1) % 4 } } != nil, "rotations shifted by one")
        #expect(try mistake { RotNet.losses($0).total * 4 } != nil, "summed over the rotations")
        #expect(try mistake { RotNet.losses($0).total * 96 } != nil, "summed over the batch")
        #expect(try mistake { RotNet.losses($0[0..<48]).total } != nil, "half of the batch")
        #expect(try mistake { RotNet.losses($0 * 2).total } != nil, "temperature")
    }

    @Test func gradientIsTheDifferenceQuotient() {
        Runtime.seed(1)
        checkGradient(at: .randn([12, 4], .float64)) { RotNet.losses($0[0]).total }
    }

    @Test func uniformLogitsGiveTheLogarithmOfFour() {
        expectClose(RotNet.losses(.zeros([64, 4], .float64)).total, Tensor(scalar: log(4.0)), .float64)
        expectClose(RotNet.losses(.full([64, 4], 3, .float64)).total, Tensor(scalar: log(4.0)), .float64)
        let certain = RotNet.losses(Tensor((0..<64).map { $0 / 16 }).oneHot(4).to(.float64) * 50)
        expectClose(certain.total, Tensor(scalar: 0.0), .float64)
        #expect(certain.measures.map(\.name) == ["rotation_accuracy"])
        #expect(certain.measures[0].value.item == 1)
        #expect(RotNet.losses(Tensor((0..<64).map { $0 % 4 }).oneHot(4).to(.float64)).measures[0].value.item == 0.25)
    }

    @Test func lossIsThatOfItsViewsInOrder() throws {
        Runtime.seed(3)
        let method = try RotNet(RotNet.Settings(), tinyContext())
        let batch = noise(4, 6)
        let losses = method.loss(batch, firstStep)
        expectClose(losses.total, RotNet.losses(method.classifier(method.encoder(.concatenated(batch.views)))).total, .float32)
        var turned = batch
        turned.views.swapAt(1, 3)
        #expect(difference(losses.total, method.loss(turned, firstStep).total, .float32) != nil)
        var permuted = batch
        permuted.views = batch.views.map { $0.flipped(0) }
        expectClose(method.loss(permuted, firstStep).total, losses.total, .float32)
        losses.total.backward()
        #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
        #expect(method.stateDict["classifier.weight"]?.shape == [4, 32])
        #expect(method.projector == nil && method.embedding(.randn([2, 32])) == nil && RotNet.card.leastBatch == 1)
    }

    // MARK: Views

    /// Pictures of uneven sizes with structure at every scale.
    private struct Pictures: ImageDataset {
        var count: Int { 7 }
        var classNames: [String] { [] }
        func label(at index: Int) -> Int? { nil }
        func name(at index: Int) -> String { "\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            let (width, height) = (30 + 23 * index, 75 + 5 * index)
            let pixels = (0..<height * width * 3).map { place in
                let (x, y, channel) = (place / 3 % width, place / 3 / width, place % 3)
                return UInt8(truncatingIfNeeded: x * (2 + channel) + y * y / 9 + (x ^ y) * (index + 1))
            }
            return PixelImage(width: width, height: height, pixels: pixels)
        }
    }

    @Test(arguments: [32, 96]) func viewsAreExactRotationsOfTheFirst(_ size: Int) throws {
        let maker = try RotNet.views(RotNet.Settings(), imageSize: size)
        #expect(maker.outputs.map(\.shape) == Array(repeating: [size, size, 3], count: 4))
        let loader = Loader(dataset: Pictures(), maker: maker, seed: 9, threads: 2)
        var seen = Set<[UInt8]>()
        for epoch in 0..<2 {
            let batches = loader.epoch(epoch, order: Sampler.shuffled(7, seed: 9, epoch: epoch), batchSize: 3, dropLast: false)
            while let batch = batches.next() {
                let views = (0..<4).map { [UInt8](UnsafeRawBufferPointer(batch.bytes($0))) }
                for sample in 0..<batch.count {
                    let start = sample * size * size * 3
                    for view in 1..<4 {
                        // A quarter turn anticlockwise: what was on the right is now at the top.
                        var wrong = 0
                        for y in 0..<size {
                            for x in 0..<size {
                                let to = start + (y * size + x) * 3
                                let from = start + (x * size + size - 1 - y) * 3
                                for channel in 0..<3 where views[view][to + channel] != views[view - 1][from + channel] { wrong += 1 }
                            }
                        }
                        #expect(wrong == 0, "sample \(sample) of epoch \(epoch), view \(view)")
                        #expect(views[view] != views[view - 1])
                    }
                    seen.insert(Array(views[0][start..<start + size * size * 3]))
                }
            }
        }
        #expect(seen.count == 14, "every image is cropped anew in every epoch")
    }
}
