import Testing
@testable import Views

@Suite struct AugmentationMixingTests {
    @Test func mixUp() throws {
        let mixUp = try MixUp(alpha: 0.4)
        let mix = mixUp.draw(count: 32, seed: 1, epoch: 2, batch: 3)
        #expect(mix == mixUp.draw(count: 32, seed: 1, epoch: 2, batch: 3))
        #expect(mix != mixUp.draw(count: 32, seed: 1, epoch: 2, batch: 4))
        #expect(mix.partners.sorted() == Array(0..<32) && (0...1).contains(mix.lambda) && mix.box == nil)
        #expect(throws: AugmentationError.self) { try MixUp(alpha: 0) }
        let mean = (0..<4000).reduce(0) { $0 + mixUp.draw(count: 2, seed: 1, epoch: 0, batch: $1).lambda } / 4000
        #expect(abs(mean - 0.5) < 0.03)
    }

    @Test func cutMixPastesPartners() throws {
        let size = ImageSize(height: 12, width: 20)
        for batch in 0..<40 {
            let mix = try CutMix().draw(count: 5, size: size, seed: 1, epoch: 0, batch: batch)
            let box = try #require(mix.box)
            // Each sample has its own number in every byte.
            var bytes = (0..<5).flatMap { [UInt8](repeating: UInt8($0), count: 720) }
            bytes.withUnsafeMutableBufferPointer { CutMix.apply(mix, to: $0, size: size) }
            for sample in 0..<5 {
                for y in 0..<12 {
                    for x in 0..<20 {
                        let inside = (box.x..<box.x + box.width).contains(x) && (box.y..<box.y + box.height).contains(y)
                        let expected = inside ? mix.partners[sample] : sample
                        let start = sample * 720 + (y * 20 + x) * 3
                        if bytes[start..<start + 3] != [UInt8(expected), UInt8(expected), UInt8(expected)] {
                            Issue.record("\(sample) \(x) \(y)")
                        }
                    }
                }
            }
            #expect(abs(mix.lambda - (1 - Double(box.width * box.height) / 240)) < 1e-12)
        }
    }
}
