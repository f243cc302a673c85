import Testing
@testable import Views

@Suite struct AugmentationInvariantTests {
    let images = [
        TestImage.make("smooth", 45, 31), TestImage.make("noise", 64, 64), TestImage.make("noise", 1, 1), TestImage.make("smooth", 3, 70),
    ]

    @Test func flippingTwiceIsNothing() {
        for image in images {
            let canvas = Canvas(image)
            canvas.mirror()
            _ = canvas.planes()
            canvas.mirror()
            #expect(canvas.image() == image)
            canvas.load(image, target: 1)
            canvas.mirror()
            canvas.mirror()
            #expect(canvas.image() == image)
        }
    }

    @Test func quarterTurnsAreExact() {
        for image in images {
            for turns in -3...6 {
                let turned = QuarterTurn(turns).applied(to: image)
                var wrong = 0
                for y in 0..<image.height {
                    for x in 0..<image.width {
                        var (u, v, width, height) = (x, y, image.width, image.height)
                        for _ in 0..<((turns % 4) + 4) % 4 {
                            (u, v) = (v, width - 1 - u)
                            (width, height) = (height, width)
                        }
                        let from = (y * image.width + x) * 3
                        let to = (v * turned.width + u) * 3
                        if image.pixels[from..<from + 3] != turned.pixels[to..<to + 3] { wrong += 1 }
                    }
                }
                #expect(wrong == 0, "\(turns) quarter turns")
            }
            let canvas = Canvas(image)
            for _ in 0..<4 { canvas.quarterTurns(1) }
            #expect(canvas.image() == image)
        }
    }

    @Test func mirroredResizeIsResizeMirrored() {
        let image = TestImage.make("noise", 90, 70)
        let cases: [(PixelBox, ImageSize)] = [
            (PixelBox(x: 3, y: 5, width: 80, height: 60), ImageSize(height: 32, width: 40)),
            (PixelBox(x: 50, y: 0, width: 17, height: 9), 33),
        ]
        for (box, size) in cases {
            let noted = Canvas(image)
            noted.resize(box, to: size, .bicubic, antialias: true)
            noted.mirror()
            let done = Canvas(image)
            done.resize(box, to: size, .bicubic, antialias: true)
            _ = done.planes()
            done.mirror()
            #expect(noted.image() == done.image())
        }
    }

    /// Geometry gives the same whether it starts from the decoded image or from planes, noted or done.
    @Test func whereGeometryStartsDoesNotMatter() {
        let image = TestImage.make("smooth", 90, 70)
        let box = PixelBox(x: 11, y: 6, width: 60, height: 50)
        let direct = Canvas(image)
        direct.resize(box, to: 37, .bicubic, antialias: true)
        direct.crop(PixelBox(x: 4, y: 7, width: 29, height: 21))
        let planar = Canvas(image)
        _ = planar.planes()
        planar.crop(box)
        _ = planar.planes()
        planar.resize(to: 37, .bicubic, antialias: true)
        _ = planar.planes()
        planar.crop(PixelBox(x: 4, y: 7, width: 29, height: 21))
        #expect(direct.image() == planar.image())
        let twice = Canvas(image)
        twice.crop(box)
        twice.crop(PixelBox(x: 5, y: 5, width: 20, height: 10))
        let once = Canvas(image)
        once.crop(PixelBox(x: 16, y: 11, width: 20, height: 10))
        #expect(twice.image() == once.image())
    }

    @Test func neutralSettingsChangeNothing() {
        for image in images {
            let canvas = Canvas(image)
            canvas.brightness(1)
            canvas.contrast(1)
            canvas.saturation(1)
            canvas.sharpness(1)
            canvas.solarize(256)
            canvas.posterize(8)
            canvas.affine((1, 0, 0, 1), about: (0, 0), shift: (0, 0), fill: 9)
            #expect(canvas.image() == image)
            canvas.hue(0)
            #expect(Difference(canvas.image(), image).largest <= 1)
        }
        let white = PixelImage(width: 50, height: 40, pixels: [UInt8](repeating: 255, count: 6000))
        #expect(GaussianBlur(p: 1).applied(to: white) == white)
        #expect(Resize(size: 23).applied(to: white).pixels.allSatisfy { $0 == 255 })
        #expect(Sobel(p: 1).applied(to: white).pixels.allSatisfy { $0 == 0 })
    }

    @Test func anySizeIsTaken() {
        for size in [(1, 1), (1, 50), (50, 1), (2, 2), (33, 3), (700, 5)] {
            let image = TestImage.make("noise", size.0, size.1)
            for type in Augmentation.known {
                for seed in 0..<20 {
                    let result = type.init().applied(to: image, target: 24, random: ViewRandom(seed: UInt64(seed)))
                    #expect(result.width > 0 && result.height > 0)
                }
            }
            #expect(GaussianBlur(p: 1, kernelSize: 23).applied(to: image).width == size.0)
        }
    }

    /// Whatever lies beside the crop does not show in it.
    @Test func cropsDoNotSeeTheirSurroundings() {
        let image = TestImage.make("noise", 60, 40)
        var other = image
        for y in 0..<40 {
            for x in 0..<60 where !(7..<37).contains(x) || !(9..<29).contains(y) {
                for channel in 0..<3 { other.pixels[(y * 60 + x) * 3 + channel] ^= 255 }
            }
        }
        func resized(_ image: PixelImage) -> PixelImage {
            let canvas = Canvas(image)
            canvas.resize(PixelBox(x: 7, y: 9, width: 30, height: 20), to: 32, .bicubic, antialias: true)
            return canvas.image()
        }
        #expect(resized(image) == resized(other))
    }

    @Test func cutoutCoversItsSquare() {
        let image = PixelImage(width: 40, height: 30, pixels: [UInt8](repeating: 200, count: 3600))
        var covered: Set<Int> = []
        for seed in 0..<200 {
            let result = Cutout(fraction: 0.4, fill: 7).applied(to: image, random: ViewRandom(seed: UInt64(seed)))
            covered.insert(result.pixels.count { $0 == 7 } / 3)
        }
        #expect(covered.max() == 144 && covered.min()! >= 36 && covered.count > 5)
    }

    @Test func noiseHasItsWidth() {
        let image = PixelImage(width: 200, height: 100, pixels: [UInt8](repeating: 128, count: 60000))
        let values = GaussianNoise(std: 0.1, p: 1).applied(to: image).pixels.map { Double($0) - 128 }
        let mean = values.reduce(0, +) / 60000
        let std = (values.reduce(0) { $0 + $1 * $1 } / 60000 - mean * mean).squareRoot()
        #expect(abs(mean) < 0.5 && abs(std - 25.5) < 0.4)
        #expect(values.max()! > 75 && values.min()! < -75)
    }
}
