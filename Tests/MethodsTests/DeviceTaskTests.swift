import Backbones
import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// What is drawn of tasks that are made on the device: what is seen, and what is to be told.
@Suite struct DeviceTaskTests {
    private func rows(_ method: any DeviceTask, _ pixels: Tensor) -> [PictureRow] {
        Runtime.seed(3)
        return method.evaluating { inference { method.task(of: pixels) } }
    }

    private var pixels: Tensor {
        Runtime.seed(8)
        return (Tensor.rand([6, 3, 16, 16]) * 256).to(.uint8)
    }

    /// Of [n, 3, 16, 16] the patches of 4 pixels that are the images' own: [n, 16]. All others have one colour.
    private func own(_ shown: Tensor, _ pixels: Tensor) -> Tensor {
        func patches(_ x: Tensor) -> Tensor {
            x.reshaped([6, 3, 4, 4, 4, 4]).permuted(0, 2, 4, 1, 3, 5).reshaped(6, 16, 48)
        }
        let (shown, wanted) = (patches(shown.to(.float32)), patches(pixels.to(.float32)))
        let same = (shown - wanted).abs().max(2).less(0.5)
        let grey = (shown - patches(InputTransform.imagenet.pixels(.zeros([6, 3, 16, 16])))).abs().max(2).less(0.5)
        #expect(same.not.and(grey.not).any().item == 0)
        return same
    }

    @Test func hiddenPatchesAreToBeTold() throws {
        let context = patchContext()
        var shallow = Data2Vec.Settings()
        shallow.targetBlocks = 2
        let methods: [any DeviceTask] = [
            try MAE(.init(), context), try SimMIM(.init(), context), try Data2Vec(shallow, context), try IBOT(.init(), context),
        ]
        for method in methods {
            let rows = rows(method, pixels)
            #expect(rows.map(\.title) == ["seen", "told"])
            let (seen, told) = (own(rows[0].images, pixels), own(rows[1].images, pixels))
            #expect(seen.not.equal(told).all().item != 0, "\(type(of: method).card.name)")
            let hidden = told.to(.float32).mean().item
            #expect((0.1...0.9).contains(hidden))
        }
        // Three quarters, of every image.
        let mae = own(rows(methods[0], pixels)[1].images, pixels).to(.float32).sum(1)
        #expect(mae.floats == Array(repeating: 12, count: 6))
    }

    @Test func iJEPATellsRectanglesOutsideItsContext() throws {
        let rows = rows(try IJEPA(.init(), patchContext()), pixels)
        let (seen, told) = (own(rows[0].images, pixels), own(rows[1].images, pixels))
        #expect(seen.and(told).any().item == 0 && told.any().item != 0 && seen.any().item != 0)
    }

    @Test func msnAndCPCShowWhatIsSeen() throws {
        var settings = MSN.Settings()
        settings.maskRatio = 0.5
        let msn = rows(try MSN(settings, patchContext()), pixels)
        #expect(msn.map(\.title) == ["seen"] && own(msn[0].images, pixels).to(.float32).sum(1).floats == Array(repeating: 8, count: 6))
        var grid = CPC.Settings()
        (grid.grid, grid.colourDrop, grid.contextWidth, grid.firstOffset, grid.lastOffset) = (3, 0, 4, 1, 2)
        (grid.patchJitter, grid.patchGrey) = (0, 0)
        let cpc = rows(try CPC(grid, tinyContext()), pixels)
        let side = cpc[0].images.size(2) / 3
        // The first patch is the image's upper left corner.
        #expect(cpc[0].images.size(3) == 3 * side && side < 16)
        let corner = cpc[0].images.narrowed(2, from: 0, count: side).narrowed(3, from: 0, count: side)
        let wanted = pixels.narrowed(2, from: 0, count: side).narrowed(3, from: 0, count: side).to(.float32)
        #expect((corner - wanted).abs().max().item < 0.01)
    }

    /// An image that brightens to the right has upright edges everywhere: lines that stand.
    @Test func gradientsAreDrawnAcross() throws {
        let ramp = (Tensor.arange(16, .float32) * 15).reshaped(1, 1, 1, 16).expanded([1, 3, 16, 16]).contiguous()
        let features = HOG.ofPatches(ramp, cell: 4, bins: 9, patchSize: 4)
        let drawn = HOG.drawn(features, PatchGrid(rows: 4, columns: 4), patchSize: 4, cell: 4, bins: 9)
        #expect(drawn.shape == [1, 3, 16, 16])
        let cell = drawn[0][0].narrowed(0, from: 4, count: 4).narrowed(1, from: 4, count: 4)
        let (columns, rows) = (cell.mean(0).floats, cell.mean(1).floats)
        #expect(columns[1] + columns[2] > 4 * (columns[0] + columns[3]), "\(columns)")
        #expect(rows.min()! > 0, "\(rows)")
        let method = try MaskFeat(.init(), patchContext())
        #expect(self.rows(method, pixels).map(\.title) == ["seen", "told"])
    }

    @Test func coloursAreSeparatedFromLightness() throws {
        let rows = rows(try Colorization(.init(), tinyContext()), pixels)
        let seen = rows[0].images
        // Grey: all channels are equal.
        #expect((seen.narrowed(1, from: 0, count: 1) - seen).abs().max().item < 2)
        let told = ColourSpace.lab(rows[1].images / 255)
        #expect(told.narrowed(1, from: 0, count: 1).standardDeviation(0, correction: 0).mean().item < 8)
        let halves = self.rows(try SplitBrain(.init(), tinyContext(width: 8)), pixels)
        #expect(halves.count == 2 && (halves[0].images - seen).abs().max().item < 1e-3)
    }

    @Test func regionsAndNoise() throws {
        let rows = rows(try ContextEncoder(.init(), tinyContext(imageSize: 32)), (Tensor.rand([6, 3, 32, 32]) * 256).to(.uint8))
        let mean = InputTransform.imagenet.pixels(.zeros([6, 3, 32, 32]))
        // What is seen and what is told make the image together; the middle is told.
        let (seen, told) = (rows[0].images - mean, rows[1].images - mean)
        #expect((seen * told).abs().max().item < 1e-3)
        #expect(told.narrowed(2, from: 14, count: 4).narrowed(3, from: 14, count: 4).abs().mean().item > 10)
        var settings = Autoencoder.Settings()
        (settings.noise, settings.noiseLevel) = (.masking, 0.5)
        let noisy = self.rows(try Autoencoder(settings, tinyContext()), pixels)
        #expect(abs(noisy[0].images.equal(0).to(.float32).mean().item - 0.5) < 0.05 && noisy[1].images.bytes == pixels.bytes)
    }
}
