import CPixels
import Testing

@testable import Views

/// The loops for one generation of processors give byte for byte what the others do.
@Suite struct ResamplingLoopsTests {
    private struct Case: CustomTestStringConvertible {
        var (width, height): (Int, Int)
        var box: PixelBox
        var size: ImageSize
        var interpolation: Interpolation
        var antialias: Bool

        init(_ image: (Int, Int), _ box: PixelBox, _ size: ImageSize, _ interpolation: Interpolation = .bicubic, _ antialias: Bool = true) {
            (width, height) = image
            (self.box, self.size, self.interpolation, self.antialias) = (box, size, interpolation, antialias)
        }

        var testDescription: String { "\(width)×\(height), \(box), to \(size), \(interpolation)" }
    }

    private static let cases = [
        // Odd and even beginnings, windows at the edges, widths around the registers', one row, one column.
        Case((91, 57), PixelBox(x: 1, y: 2, width: 90, height: 55), ImageSize(height: 17, width: 32)),
        Case((91, 57), PixelBox(x: 0, y: 0, width: 91, height: 57), ImageSize(height: 33, width: 31)),
        Case((500, 375), PixelBox(x: 77, y: 33, width: 401, height: 320), ImageSize(32)),
        Case((64, 48), PixelBox(x: 5, y: 7, width: 16, height: 32), ImageSize(height: 48, width: 47)),
        Case((40, 40), PixelBox(x: 3, y: 3, width: 33, height: 1), ImageSize(height: 5, width: 9)),
        Case((40, 40), PixelBox(x: 3, y: 3, width: 1, height: 33), ImageSize(height: 9, width: 5)),
        Case((91, 57), PixelBox(x: 1, y: 2, width: 90, height: 55), ImageSize(height: 17, width: 32), .bilinear),
        Case((91, 57), PixelBox(x: 1, y: 2, width: 20, height: 21), ImageSize(height: 64, width: 66), .bicubic, false),
    ]

    /// Full contrast, so that sums leave 0 … 255 on both sides.
    private static func noise(_ width: Int, _ height: Int) -> PixelImage {
        var random = ViewRandom(seed: UInt64(width))
        return PixelImage(width: width, height: height, pixels: (0..<width * height * 3).map { _ in random.bernoulli(0.5) ? 255 : 0 })
    }

    private static func resampled(_ test: Case, planar: Bool, portable: Bool) -> PixelImage {
        pixels_use_portable_loops(portable ? 1 : 0)
        defer { pixels_use_portable_loops(0) }
        let canvas = Canvas()
        canvas.load(noise(test.width, test.height), target: test.size)
        if planar { canvas.redraw(to: canvas.size) { from, to in to.red.update(from: from.red, count: 3 * from.plane) } }
        canvas.resize(test.box, to: test.size, test.interpolation, antialias: test.antialias)
        canvas.mirror()
        return canvas.image()
    }

    @Test(arguments: cases.indices, [false, true])
    func equal(index: Int, planar: Bool) {
        let test = Self.cases[index]
        let (fast, portable) = (
            Self.resampled(test, planar: planar, portable: false), Self.resampled(test, planar: planar, portable: true)
        )
        #expect(fast == portable, "\(test.testDescription)")
        #expect(Set(portable.pixels).count > 20)
    }
}
