import TestSupport
import Testing
import Torch
import Views

@testable import Embeddings
@testable import Evaluation

@Suite struct SaliencyTests {
    /// Against PyTorch's autograd (generate_saliency.py). The classifier may know fewer classes than the names.
    @Test func isGradCAM() throws {
        let values = try ReferenceValues.load("saliency")
        func found(_ classes: [Int], of known: [Int] = Array(0..<6), standardized: Bool = true) -> Tensor {
            let standardization = Standardization(of: standardized ? values["features"] : .randn([18, 33]))
            let classifier = LinearClassifier(
                standardization: standardization, weight: values["weight"], bias: values["bias"], classes: known)
            return Saliency.maps(values["maps"], classifier, classes: classes)
        }
        let chosen = values["chosen"].ints
        func mistake(_ maps: Tensor) -> Double { (maps.to(.float64) - values["cam"]).abs().max().item }
        #expect(mistake(found(chosen)) < 2e-5)
        #expect(mistake(found(chosen.map { $0 + 3 }, of: Array(3..<9))) < 2e-5)
        #expect(mistake(found(chosen.map { ($0 + 1) % 6 })) > 0.2, "another class")
        #expect(mistake(found(chosen, standardized: false)) > 0.05, "another scale")
    }

    @Test func attentionIsTheMeanOverHeads() {
        let maps = Tensor([0.25, 0.5, 0.125, 0.125, 0.75, 0, 0.125, 0.125, 0, 0, 0, 0, 0, 0, 0, 0] as [Float]).reshaped(2, 2, 2, 2)
        #expect(Saliency.attention(maps).contiguous().floats == [1, 0.5, 0.25, 0.25, 0, 0, 0, 0])
    }

    @Test func overlayIsBrighterWhereTheMapIs() {
        let image = PixelImage(width: 8, height: 8, pixels: [UInt8](repeating: 100, count: 192))
        let map = Tensor([0, 1, 0, 0] as [Float]).reshaped(2, 2)
        let pixels = Saliency.overlay(image, map).pixels
        // Red of the corners: 100 × 0.45, and 100 × 0.55 + 255 × 0.45.
        #expect(pixels[0] == 45 && pixels[3 * 7] == 170 && pixels[3 * 56] == 45)
        // Yellow has no blue.
        #expect(pixels[3 * 7 + 2] == 55)
    }
}
