import Testing

@testable import Views

/// Puzzles, told by images whose pixels say where they are.
@Suite struct PuzzleTests {
    private static let image = PatchTests.coordinates(72, 72)
    private static let view = View("image", size: 72, [Resize()])

    private static func cutting(jitter: Int = 0, grey: Double = 0, side: Int? = nil) -> TileCutting {
        var cutting = TileCutting()
        (cutting.channelJitter, cutting.greyShare, cutting.side) = (jitter, grey, side)
        return cutting
    }

    /// The corner of each place of a picture of 3 × 3 tiles.
    private static func corners(_ picture: [UInt8], _ tile: Int) -> [(x: Int, y: Int)] {
        (0..<9).map { place in
            let pixel = ((place / 3 * tile) * 3 * tile + place % 3 * tile) * 3
            return (Int(picture[pixel]), Int(picture[pixel + 1]))
        }
    }

    /// A pixel of a place of a picture.
    private static func pixel(_ picture: [UInt8], _ tile: Int, _ place: Int, _ x: Int, _ y: Int) -> [UInt8] {
        let start = ((place / 3 * tile + y) * 3 * tile + place % 3 * tile + x) * 3
        return Array(picture[start..<start + 3])
    }

    @Test func tilesStandInTheOrderThatTheLabelSays() throws {
        let maker = try JigsawViews(Self.view, Self.cutting(), PermutationChoice(count: 40))
        var offsets: Set<Int> = []
        var seen: Set<Int64> = []
        for index in 0..<80 {
            let (bytes, buffers, memory) = PatchTests.made(maker, Self.image, SampleKey(seed: 2, epoch: 0, index: index))
            let order = maker.set.orders[Int(buffers.integers(1)[0])]
            seen.insert(buffers.integers(1)[0])
            for (place, corner) in Self.corners(bytes[0], 20).enumerated() {
                let (dx, dy) = (corner.x - order[place] % 3 * 24, corner.y - order[place] / 3 * 24)
                offsets.formUnion([dx, dy])
                for (x, y) in [(0, 0), (19, 0), (7, 11), (19, 19)] {
                    let (column, row) = (corner.x + x, corner.y + y)
                    #expect(Self.pixel(bytes[0], 20, place, x, y) == [UInt8(column), UInt8(row), UInt8((7 * column + 3 * row) % 256)])
                }
            }
            if index == 0 {
                let shown = order.map { "\($0 + 1)" }.joined(separator: " ")
                #expect(maker.captions(of: buffers) == ["order \(buffers.integers(1)[0]) of 40: \(shown)"])
            }
            withExtendedLifetime(memory) {}
        }
        #expect(offsets == Set(0...4) && seen.count > 25)
        // Without gaps tiles are whole cells.
        let whole = try JigsawViews(Self.view, Self.cutting(side: 24), PermutationChoice(count: 40))
        let (bytes, buffers, memory) = PatchTests.made(whole, Self.image, SampleKey(seed: 2, epoch: 0, index: 1))
        let order = whole.set.orders[Int(buffers.integers(1)[0])]
        #expect(Self.corners(bytes[0], 24).enumerated().allSatisfy { $1.x == order[$0] % 3 * 24 && $1.y == order[$0] / 3 * 24 })
        withExtendedLifetime(memory) {}
    }

    @Test func aBatchDrawsFromASubset() throws {
        let maker = try JigsawViews(Self.view, Self.cutting(), PermutationChoice(count: 100), perImage: 3, perBatch: 8)
        func drawn(_ batch: Int, epoch: Int = 0) -> Set<Int64> {
            var all: Set<Int64> = []
            for index in 0..<40 {
                let key = SampleKey(seed: 2, epoch: epoch, index: 100 * batch + index, batch: batch, position: index)
                let (_, buffers, memory) = PatchTests.made(maker, Self.image, key)
                let own = (0..<3).map { buffers.integers(1)[$0] }
                #expect(Set(own).count == 3)
                all.formUnion(own)
                withExtendedLifetime(memory) {}
            }
            return all
        }
        let first = drawn(0)
        #expect(first.count == 8 && drawn(1).count == 8 && drawn(1) != first && drawn(0, epoch: 1) != first && drawn(0) == first)
    }

    @Test func channelsMoveAndColoursGo() throws {
        let moving = try JigsawViews(Self.view, Self.cutting(jitter: 2), PermutationChoice(count: 10))
        var differences: Set<Int> = []
        for index in 0..<30 {
            let bytes = PatchTests.made(moving, Self.image, SampleKey(seed: 2, epoch: 0, index: index)).0[0]
            for place in 0..<9 {
                let middle = Self.pixel(bytes, 20, place, 10, 10)
                // What blue would be where red and green come from, if none had moved.
                let expected = (7 * Int(middle[0]) + 3 * Int(middle[1])) % 256
                differences.insert((Int(middle[2]) - expected + 256) % 256)
            }
        }
        #expect(differences.count > 20)
        let grey = try JigsawViews(Self.view, Self.cutting(jitter: 2, grey: 0.3), PermutationChoice(count: 10))
        var greys = 0
        for index in 0..<400 {
            let key = SampleKey(seed: 2, epoch: 0, index: index)
            let bytes = PatchTests.made(grey, Self.image, key).0[0]
            var isGrey = true
            for i in stride(from: 0, to: bytes.count, by: 3) where bytes[i] != bytes[i + 1] || bytes[i] != bytes[i + 2] { isGrey = false }
            if !isGrey { #expect(bytes == PatchTests.made(moving, Self.image, key).0[0]) }
            greys += isGrey ? 1 : 0
        }
        // 120 ± 4 deviations.
        #expect((83...157).contains(greys), "\(greys)")
    }

    private struct Other: PartnerImages {
        let other: PixelImage
        func image(_ n: Int) -> PixelImage? { n == 1 ? other : nil }
    }

    @Test func someTilesAreAnotherImages() throws {
        let choice = PermutationChoice(count: 50, minimumDistance: 3)
        let maker = try JigsawViews(Self.view, Self.cutting(), choice, damage: .foreign(2))
        let plain = try JigsawViews(Self.view, Self.cutting(), choice)
        let other = PixelImage(width: 72, height: 72, pixels: [UInt8](repeating: 201, count: 72 * 72 * 3))
        var counts = [0, 0, 0]
        var places: Set<Int> = []
        for index in 0..<240 {
            let key = SampleKey(seed: 2, epoch: 0, index: index)
            let (bytes, buffers, memory) = PatchTests.made(maker, Self.image, key, partners: Other(other: other))
            let (own, ownBuffers, ownMemory) = PatchTests.made(plain, Self.image, key)
            #expect(buffers.integers(1)[0] == ownBuffers.integers(1)[0])
            var foreign = 0
            for place in 0..<9 {
                let pixel = Self.pixel(bytes[0], 20, place, 5, 5)
                if pixel == [201, 201, 201] {
                    foreign += 1
                    places.insert(place)
                } else {
                    #expect(pixel == Self.pixel(own[0], 20, place, 5, 5))
                }
            }
            counts[foreign] += 1
            withExtendedLifetime((memory, ownMemory)) {}
        }
        #expect(counts.allSatisfy { (50...110).contains($0) } && places.count == 9, "\(counts)")
        #expect(maker.usesPartners && !plain.usesPartners)
        // Where there is no other image, all are the image's own.
        let key = SampleKey(seed: 2, epoch: 0, index: 4)
        #expect(PatchTests.made(maker, Self.image, key).0[0] == PatchTests.made(plain, Self.image, key).0[0])
        #expect(throws: AugmentationError.self) {
            try JigsawViews(Self.view, Self.cutting(), PermutationChoice(count: 50), damage: .foreign(2))
        }
    }

    @Test func oneTileIsMissingAndColoursAre() throws {
        let maker = try JigsawViews(Self.view, Self.cutting(jitter: 2, grey: 0.5), PermutationChoice(count: 50), damage: .missing)
        var gone: Set<Int> = []
        for index in 0..<60 {
            let (bytes, buffers, memory) = PatchTests.made(maker, Self.image, SampleKey(seed: 2, epoch: 0, index: index))
            let order = maker.set.orders[Int(buffers.integers(2)[0])]
            let missing = Int(buffers.integers(3)[0])
            gone.insert(missing)
            for (tile, corner) in Self.corners(bytes[1], 20).enumerated() {
                #expect(corner.x / 24 == tile % 3 && corner.y / 24 == tile / 3)
            }
            for place in 0..<9 {
                for (x, y) in [(0, 0), (3, 17), (19, 19)] {
                    let colour = Self.pixel(bytes[1], 20, order[place], x, y).map(Double.init)
                    let grey = UInt8(0.2989 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
                    let shown = Self.pixel(bytes[0], 20, place, x, y)
                    #expect(shown == [UInt8](repeating: order[place] == missing ? 128 : grey, count: 3))
                }
            }
            #expect(maker.captions(of: buffers)[1] == "missing: tile \(missing + 1)")
            withExtendedLifetime(memory) {}
        }
        #expect(gone.count == 9)
    }

    @Test func threadsDoNotMatterToPuzzles() throws {
        for damage in [JigsawViews.Damage.none, .foreign(2), .missing] {
            let maker = try JigsawViews(
                .puzzle(30), Self.cutting(jitter: 1, grey: 0.3), PermutationChoice(count: 30, minimumDistance: 3), perImage: 2, perBatch: 6,
                damage: damage)
            let alone = try LoaderTests.all(0, maker: maker)
            #expect(try LoaderTests.all(3, maker: maker) == alone)
            #expect(alone[0].bytes[0] != alone[1].bytes[0])
        }
    }
}

/// Sheets of what makers make.
@Suite struct SheetTests {
    @Test func viewsStandBesideTheImageUnderTheirNames() throws {
        let image = TestImage.make("smooth", 40, 40)
        let recipe = try ViewRecipe(views: [View("a", size: 40, [Resize()]), View("b", size: 24, [Resize()])])
        let sheet = recipe.sheet(of: [image, image], draws: 2)
        // Three columns, a line of names, four rows.
        #expect(sheet.width == 4 + 44 + 44 + 28 && sheet.height == 4 + 9 + 4 * 44 + 4)
        func part(_ x: Int, _ y: Int, _ width: Int, _ height: Int) -> [UInt8] {
            var part: [UInt8] = []
            for row in y..<y + height {
                let start = (row * sheet.width + x) * 3
                part += sheet.pixels[start..<start + width * 3]
            }
            return part
        }
        for row in 0..<4 {
            #expect(part(4, 13 + 44 * row, 40, 40) == image.pixels && part(48, 13 + 44 * row, 40, 40) == image.pixels)
        }
        // The letter A in five columns.
        let letter = part(48, 4, 5, 7)
        let dark = (0..<35).map { letter[3 * $0] == 0 ? "#" : "." }.joined()
        #expect(dark == ".###." + "#...#" + "#...#" + "#####" + "#...#" + "#...#" + "#...#")
        #expect(part(54, 4, 34, 7).allSatisfy { $0 == 255 })
    }

    @Test func targetsAreSaid() throws {
        let image = PatchTests.coordinates(200, 160)
        let maker = try RelativePatchViews(.init(patch: 36, gap: 18, jitter: 3, areas: 32000...32000), neighbours: 2)
        let sheet = maker.sheet(of: [image])
        // Two captions below the row, the longest of which may be wider than the pictures.
        #expect(sheet.height == 4 + 9 + 40 + 18 + 4)
        let text = sheet.pixels.suffix(sheet.width * 3 * 22)
        #expect(text.contains(0) && text.allSatisfy { $0 == 0 || $0 == 255 })
        let located = try ViewRecipe.cmc(size: 16).locating()
        let (_, buffers, memory) = PatchTests.made(located, image, SampleKey(seed: 0, epoch: 0, index: 0))
        #expect(located.captions(of: buffers).count == 1 && located.captions(of: buffers)[0].hasPrefix("regions: 0."))
        withExtendedLifetime(memory) {}
    }
}
