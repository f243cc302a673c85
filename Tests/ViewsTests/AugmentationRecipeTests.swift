import Testing
@testable import Views

@Suite struct AugmentationRecipeTests {
    let image = TestImage.make("smooth", 120, 90)

    static func views(_ maker: some ViewMaker, _ image: PixelImage, _ key: SampleKey, scratch: inout Scratch) -> [[UInt8]] {
        let memory = BatchMemory(maker.outputs, capacity: 1)
        maker.make(image, key: key, partners: NoPartners(), into: memory.sample(0), scratch: &scratch)
        return maker.outputs.indices.map { [UInt8](memory.sample(0).bytes($0)) }
    }

    static func views(_ maker: some ViewMaker, _ image: PixelImage, _ key: SampleKey) -> [[UInt8]] {
        var scratch = Scratch()
        return views(maker, image, key, scratch: &scratch)
    }

    @Test func aViewIsAFunctionOfItsKey() throws {
        let recipe = try ViewRecipe.byol(size: 72)
        let key = SampleKey(seed: 1, epoch: 2, index: 3)
        let fresh = Self.views(recipe, image, key)
        // After other images of other sizes on the same canvas, and in another batch.
        var scratch = Scratch()
        _ = Self.views(
            try ViewRecipe.multiCrop(), TestImage.make("noise", 300, 200), SampleKey(seed: 9, epoch: 0, index: 0), scratch: &scratch)
        #expect(Self.views(recipe, image, SampleKey(seed: 1, epoch: 2, index: 3, batch: 7, position: 5), scratch: &scratch) == fresh)
        #expect(fresh[0] != fresh[1])
        for other in [
            SampleKey(seed: 2, epoch: 2, index: 3), SampleKey(seed: 1, epoch: 3, index: 3), SampleKey(seed: 1, epoch: 2, index: 4),
        ] {
            #expect(Self.views(recipe, image, other) != fresh)
        }
    }

    @Test func rotNetTurnsOneCrop() throws {
        for size in [32, 80] {
            let views = Self.views(try ViewRecipe.rotNet(size: ImageSize(size)), image, SampleKey(seed: 1, epoch: 0, index: 0))
            let first = PixelImage(width: size, height: size, pixels: views[0])
            for turns in 1..<4 { #expect(views[turns] == QuarterTurn(turns).applied(to: first).pixels) }
        }
    }

    @Test func streams() throws {
        let steps: [any AugmentationStep] = [RandomResizedCrop(), HorizontalFlip(), ColorJitter(p: 1)]
        // The same stream and size: the beginning is shared; another size or beginning: the same draws nevertheless.
        let recipe = try ViewRecipe(views: [
            View("a", size: 40, stream: 3, steps), View("b", size: 40, stream: 3, steps + [Solarize(p: 1)]),
            View("c", size: 40, steps), View("d", size: 24, stream: 3, steps), View("e", size: 40, stream: 3, steps),
        ])
        let views = Self.views(recipe, image, SampleKey(seed: 1, epoch: 0, index: 0))
        let a = PixelImage(width: 40, height: 40, pixels: views[0])
        #expect(views[4] == views[0] && views[2] != views[0])
        #expect(views[1] == Solarize(p: 1).applied(to: a).pixels)
        #expect(views[3].count == 24 * 24 * 3)
        let small = Canvas(a)
        small.resize(to: 24, .bicubic, antialias: true)
        let close = zip(small.image().pixels, views[3]).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(close / views[3].count < 12, "the same part of the image in the same colours")
        // Without the other sizes, the shared beginning gives the same.
        let shared = try ViewRecipe(views: [
            View("a", size: 40, stream: 3, steps), View("b", size: 40, stream: 3, steps + [Solarize(p: 1)]),
        ])
        #expect(Self.views(shared, image, SampleKey(seed: 1, epoch: 0, index: 0)) == [views[0], views[1]])
    }

    @Test func presets() throws {
        let simCLR = try ViewRecipe.simCLR(size: 224, strength: 0.5)
        #expect(simCLR.outputs.map(\.name) == ["view0", "view1"])
        #expect(
            simCLR.views[0].augmentations.map(\.name) == [
                "randomResizedCrop", "horizontalFlip", "colorJitter", "grayscale", "gaussianBlur",
            ])
        #expect(
            simCLR.views[0].augmentations[2].step as? ColorJitter == ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1))
        #expect(try ViewRecipe.simCLR(size: 32).views[0].augmentations.map(\.name).last == "grayscale")
        #expect(try ViewRecipe.simCLR(size: 224, blur: false).views[0].augmentations.count == 4)
        let crops = try ViewRecipe.multiCrop()
        #expect(crops.outputs.count == 8 && crops.outputs.map { $0.shape[0] } == [224, 224, 96, 96, 96, 96, 96, 96])
        #expect(throws: AugmentationError.self) { try ViewRecipe.simCLR(size: 224, strength: 3) }
        #expect(throws: AugmentationError.self) { try ViewRecipe.evaluation(size: 0) }
        #expect(throws: AugmentationError.self) { try ViewRecipe.rotNet(size: ImageSize(height: 32, width: 48)) }
    }

    @Test func evaluationIsDeterministic() throws {
        for size in [32, 96] {
            let recipe = try ViewRecipe.evaluation(size: ImageSize(size))
            #expect(
                Self.views(recipe, image, SampleKey(seed: 1, epoch: 0, index: 0))
                    == Self.views(recipe, image, SampleKey(seed: 2, epoch: 5, index: 9)))
        }
        // A small image of the right size is left alone.
        let small = TestImage.make("noise", 32, 32)
        #expect(Self.views(try ViewRecipe.evaluation(size: 32), small, SampleKey(seed: 1, epoch: 0, index: 0)) == [small.pixels])
    }

    @Test func decodeTargets() throws {
        // The shorter side of the smallest crop, 8 % of the area at 4 : 3, is still as long as the view: 224 · √(4⁄3 ⁄ 0.08).
        #expect(try ViewRecipe.simCLR(size: 224).decodeTarget == 915)
        #expect(try ViewRecipe.evaluation(size: 224).decodeTarget == 512)
        #expect(try ViewRecipe(views: [View("v", size: 32, [RandomCrop()])]).decodeTarget == nil)
        #expect(try ViewRecipe(views: [View("v", size: 32, [GaussianBlur(), Resize()])]).decodeTarget == nil)
    }

    @Test func sheet() throws {
        let sheet = try ViewRecipe.multiCrop(size: 48, views: 2, smallSize: 16, smallViews: 3).sheet(
            of: [image, TestImage.make("noise", 20, 60)], draws: 2)
        // A line of names, of 7 pixels with 2 of room, above the rows.
        #expect(sheet.height == 4 + 9 + 4 * (48 + 4) + 4)
        #expect(sheet.width == 48 + 4 + 2 * 52 + 3 * 20 + 4)
        #expect(sheet.pixels.contains { $0 != 255 })
    }
}

/// Where views lie, against what their pixels say: red tells the column, green the row.
@Suite struct RegionTests {
    @Test func regionsAreWhereThePixelsComeFrom() throws {
        let (height, width) = (200, 240)
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += [UInt8(x), UInt8(y), 0] } }
        let image = PixelImage(width: width, height: height, pixels: pixels)
        let plain = try ViewRecipe(views: [
            View("crop", size: 32, copies: 2, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()]),
            View("padded", size: 64, [RandomResizedCrop(size: 96), HorizontalFlip(), RandomCrop()]),
            View("shared", size: 32, stream: 0, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip(), Grayscale(p: 1)]),
        ])
        let recipe = plain.locating()
        #expect(recipe.outputs.last == OutputSpec(name: "regions", element: .float32, shape: [4, 4]) && recipe.outputs.count == 5)
        var mirrored = 0
        for index in 0..<40 {
            let memory = BatchMemory(recipe.outputs, capacity: 1)
            var scratch = Scratch()
            let key = SampleKey(seed: 3, epoch: 0, index: index)
            recipe.make(image, key: key, partners: NoPartners(), into: memory.sample(0), scratch: &scratch)
            let regions = [Float](memory.sample(0).floats(4))
            for view in 0..<3 {
                let side = view == 2 ? 64 : 32
                let made = [UInt8](memory.sample(0).bytes(view))
                let (top, left) = (Double(regions[4 * view]), Double(regions[4 * view + 1]))
                let (bottom, right) = (Double(regions[4 * view + 2]), Double(regions[4 * view + 3]))
                if left > right { mirrored += 1 }
                for (row, column) in [(side / 4, side / 4), (side / 2, side / 4), (3 * side / 4, side / 2)] {
                    let x = (left + (right - left) * (Double(column) + 0.5) / Double(side)) * Double(width) - 0.5
                    let y = (top + (bottom - top) * (Double(row) + 0.5) / Double(side)) * Double(height) - 0.5
                    let pixel = (row * side + column) * 3
                    #expect((Double(made[pixel]) - x).magnitude < 1.5 && (Double(made[pixel + 1]) - y).magnitude < 1.5)
                }
            }
            // One stream, one place.
            #expect(Array(regions[0..<4]) == Array(regions[12..<16]))
            // The views themselves are the same.
            #expect(
                AugmentationRecipeTests.views(plain, image, key) == (0..<4).map { [UInt8](memory.sample(0).bytes($0)) })
        }
        #expect(mirrored > 30 && mirrored < 90)
    }
}
