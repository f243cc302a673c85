import Files
import Foundation
import Fovea
import Methods
import Testing
import TestSupport
import Torch
import Views

@testable import Training

/// What a method makes of images, in its run's folder.
@Suite struct PictureTests {
    private static func decoded(_ path: String) throws -> PixelImage { try ImageDecoder().decode(contents(of: path)) }

    @Test func aRunEndsWithThem() throws {
        let images = try TinyImages()
        try withTemporaryFolder { folder in
            let recipe = try tinyRecipe("autoencoder")
            let files = try wholeRun(recipe, images, "\(folder)/run")
            let sheet = try JSONDecoder().decode(PictureSheet.self, from: Data(files["evaluation/pictures.json"]!))
            #expect(sheet.rows.map(\.title) == ["Its reconstructions", "The images"])
            #expect(sheet.rows.map(\.image) == ["pictures/1.png", "pictures/2.png"])
            // 12 of 16 pixels with 2 between; the last row are the images, as evaluation sees them.
            let strip = try Self.decoded("\(folder)/run/evaluation/pictures/2.png")
            #expect(strip.height == 16 && strip.width == 12 * 16 + 11 * 2)
            for place in [0, 7] {
                let image = try images.image(at: place * 56 / 12, coveringAtLeast: nil)
                for row in [0, 9] {
                    let start = (row * strip.width + place * 18) * 3
                    #expect(Array(strip.pixels[start..<start + 48]) == Array(image.pixels[row * 48..<(row + 1) * 48]), "\(place), \(row)")
                }
                let gap = (9 * strip.width + place * 18 + 16) * 3
                #expect(strip.pixels[gap..<gap + 6].allSatisfy { $0 == 255 })
            }
            #expect(try Self.decoded("\(folder)/run/evaluation/pictures/1.png").width == strip.width)
            // The report has them, and a method that makes none has no such files.
            try RunReport.write("\(folder)/run")
            #expect(try String(contentsOfFile: "\(folder)/run/report.html", encoding: .utf8).contains("Its reconstructions"))
            let other = try wholeRun(try tinyRecipe("rotnet"), images, "\(folder)/other")
            #expect(!other.keys.contains { $0.contains("pictures") })
        }
    }

    /// Samples are drawn without touching the generator of the run.
    @Test func drawingLeavesTheGeneratorAlone() throws {
        let context = MethodContext(
            backbone: BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16, sampleCount: 8, classCount: 0)
        let method = try VariationalAutoencoder(tiny(.init()), context)
        let pixels = (Tensor.rand([3, 3, 16, 16]) * 255).to(.uint8)
        try withTemporaryFolder { folder in
            let run = RunFolder(folder)
            let before = Runtime.generatorState().bytes
            try PictureWriter.write(method, pixels, seed: 4, to: run)
            #expect(Runtime.generatorState().bytes == before && method.isTraining)
            let first = try contents(of: "\(folder)/evaluation/pictures/3.png")
            _ = Tensor.rand([5])
            try PictureWriter.write(method, pixels, seed: 4, to: run)
            #expect(try contents(of: "\(folder)/evaluation/pictures/3.png") == first)
            try PictureWriter.write(method, pixels, seed: 5, to: run)
            #expect(try contents(of: "\(folder)/evaluation/pictures/3.png") != first)
        }
    }
}
