import Fovea
import TestSupport
import Testing

/// Nearest patches of images of one colour each, of which every colour comes twice: a patch's nearest is the twin's.
@Suite struct PatchSearchTests {
    private struct Twins: ImageDataset {
        var count: Int { 16 }
        var classNames: [String] { [] }
        func label(at index: Int) -> Int? { nil }
        func name(at index: Int) -> String { "\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            let colour = [UInt8(30 * (index % 8)), UInt8(255 - 25 * (index % 8)), UInt8(70 * (index % 8) % 256)]
            // Light that falls from one side, so that patches differ.
            var pixels: [UInt8] = []
            for place in 0..<32 * 40 { pixels += colour.map { UInt8(Int($0) * (247 + place % 40 / 5) / 255) } }
            return PixelImage(width: 40, height: 32, pixels: pixels)
        }
    }

    @Test func twinsAreFound() throws {
        Runtime.seed(3)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 8, stem: .small), imageSize: 16)
        encoder.eval()
        var search = PatchSearch()
        search.perImage = 3
        let found = try search(encoder, Twins(), queries: 8, count: 5, FeatureExtraction(imageSize: 16, batchSize: 7, threads: 1))
        #expect(found.map(\.query.image) == [0, 2, 4, 6, 8, 10, 12, 14])
        for one in found {
            #expect(one.nearest.count == 5 && one.nearest[0].image == (one.query.image + 8) % 16)
            #expect(Set(one.nearest.map(\.image)).count == 5 && !one.nearest.map(\.image).contains(one.query.image))
            #expect(one.similarities == one.similarities.sorted(by: >) && one.similarities[0] > 0.99)
        }
        let sheet = try search.sheet(found, encoder, Twins())
        #expect(sheet.width == 4 + 6 * 20 && sheet.height == 4 + 9 + 8 * 20 + 4)
    }
}
