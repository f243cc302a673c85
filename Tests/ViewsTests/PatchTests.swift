import Testing

@testable import Views

/// Where patches and tiles are cut from, told by images whose pixels say where they are.
@Suite struct PatchTests {
    /// Red is the column, green the row, blue their mixture.
    static func coordinates(_ width: Int, _ height: Int) -> PixelImage {
        drawn(width, height) { x, y in [x, y, (7 * x + 3 * y) % 256] }
    }

    static func drawn(_ width: Int, _ height: Int, _ colour: (_ x: Int, _ y: Int) -> [Int]) -> PixelImage {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += colour(x, y).map { UInt8($0) } }
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }

    static func made(_ maker: any ViewMaker, _ image: PixelImage, _ key: SampleKey, partners: any PartnerImages = NoPartners())
        -> ([[UInt8]], OutputBuffers, BatchMemory)
    {
        let memory = BatchMemory(maker.outputs, capacity: 1)
        var scratch = Scratch()
        maker.make(image, key: key, partners: partners, into: memory.sample(0), scratch: &scratch)
        let buffers = memory.sample(0)
        return (maker.outputs.indices.map { [UInt8](buffers.bytes($0)) }, buffers, memory)
    }

    private static let geometry = RelativePatchViews.Geometry(patch: 36, gap: 18, jitter: 3, areas: 32000...32000)

    // MARK: Relative patches

    /// At the image's own size nothing is resampled, so that pixels tell exactly.
    @Test func neighboursLieWhereTheLabelSays() throws {
        let image = Self.coordinates(200, 160)
        let maker = try RelativePatchViews(Self.geometry, neighbours: 8, dropsColours: false)
        let rows: [Int64: (Int, Int)] = [
            0: (-1, -1), 1: (-1, 0), 2: (-1, 1), 3: (0, -1), 4: (0, 1), 5: (1, -1), 6: (1, 0), 7: (1, 1),
        ]
        var moves: Set<Int> = []
        var starts: Set<[Int]> = []
        for index in 0..<60 {
            let (bytes, buffers, memory) = Self.made(maker, image, SampleKey(seed: 3, epoch: 1, index: index))
            let positions = (0..<8).map { buffers.integers(9)[$0] }
            #expect(Set(positions) == Set(0..<8))
            let corners = bytes[..<9].map { (x: Int($0[0]), y: Int($0[1])) }
            for (patch, corner) in zip(bytes, corners) {
                for place in stride(from: 0, to: 36 * 36, by: 101) {
                    let (x, y) = (corner.x + place % 36, corner.y + place / 36)
                    #expect(patch[3 * place..<3 * place + 3].elementsEqual([UInt8(x), UInt8(y), UInt8((7 * x + 3 * y) % 256)]))
                }
            }
            for (corner, position) in zip(corners.dropFirst(), positions) {
                let (row, column) = rows[position]!
                let (dy, dx) = (corner.y - corners[0].y - row * 54, corner.x - corners[0].x - column * 54)
                #expect((-6...6).contains(dy) && (-6...6).contains(dx))
                moves.formUnion([dx, dy])
            }
            starts.insert([corners[0].x, corners[0].y])
            withExtendedLifetime(memory) {}
        }
        #expect(moves == Set(-6...6) && starts.count > 40)
    }

    @Test func everyPlaceIsAsLikely() throws {
        let image = Self.coordinates(200, 160)
        let maker = try RelativePatchViews(Self.geometry, dropsColours: false)
        var counts = [Int](repeating: 0, count: 8)
        for index in 0..<1600 {
            let plan = RelativePatchViews.Plan(
                maker, ImageSize(height: 160, width: 200), ViewKey(seed: 1, epoch: 0, index: index, stream: 1))
            counts[plan.positions[0]] += 1
        }
        // 200 ± 4.5 deviations.
        #expect(counts.allSatisfy { (140...260).contains($0) }, "\(counts)")
        let (bytes, buffers, memory) = Self.made(maker, image, SampleKey(seed: 1, epoch: 0, index: 7))
        #expect(maker.captions(of: buffers) == ["neighbour0: " + RelativePatchViews.positionNames[Int(buffers.integers(2)[0])]])
        #expect(bytes[0] != bytes[1])
        withExtendedLifetime(memory) {}
    }

    @Test func areasFillTheirRange() throws {
        let maker = try RelativePatchViews(.init(patch: 24, gap: 12, jitter: 2, areas: 20_000...60_000))
        let areas = (0..<300).map { index in
            let size = RelativePatchViews.Plan(
                maker, ImageSize(height: 300, width: 400), ViewKey(seed: 2, epoch: 0, index: index, stream: 1)
            )
            .size
            #expect((Double(size.width) / Double(size.height) - 4.0 / 3).magnitude < 0.02)
            return size.width * size.height
        }
        #expect(areas.min()! > 19_700 && areas.min()! < 21_500 && areas.max()! < 60_400 && areas.max()! > 58_500)
        #expect((38_000...42_000).contains(areas.reduce(0, +) / 300))
        // A strip that is too thin for the patches becomes larger.
        let thin = RelativePatchViews.Plan(maker, ImageSize(height: 10, width: 300), ViewKey(seed: 2, epoch: 0, index: 0, stream: 1))
        #expect(thin.boxes.allSatisfy { $0.x >= 0 && $0.y >= 0 && $0.x + 24 <= thin.size.width && $0.y + 24 <= thin.size.height })
    }

    /// One channel stays as it is; the others are noise around mid-grey, a hundredth as strong, whatever they were.
    @Test func coloursAreDropped() throws {
        let image = TestImage.make("noise", 200, 160)
        let plain = try RelativePatchViews(Self.geometry, neighbours: 2, dropsColours: false)
        let dropping = try RelativePatchViews(Self.geometry, neighbours: 2)
        var kept = [Int](repeating: 0, count: 3)
        var together = 0
        for index in 0..<90 {
            let key = SampleKey(seed: 5, epoch: 0, index: index)
            let (whole, dropped) = (Self.made(plain, image, key).0, Self.made(dropping, image, key).0)
            var channels: [Int] = []
            for patch in 0..<3 {
                func channel(_ bytes: [UInt8], _ c: Int) -> [UInt8] { stride(from: c, to: bytes.count, by: 3).map { bytes[$0] } }
                let same = (0..<3).filter { channel(whole[patch], $0) == channel(dropped[patch], $0) }
                #expect(same.count == 1)
                for c in 0..<3 where c != same[0] {
                    let values = channel(dropped[patch], c).map { Double($0) - 128 }
                    let mean = values.reduce(0, +) / 1296
                    let squares = values.map { $0 * $0 }.reduce(0, +)
                    let deviation = (squares / 1296).squareRoot()
                    // Uniform noise has deviation 74; rounding adds a twelfth of variance.
                    #expect(mean.magnitude < 0.12 && (0.7...0.9).contains(deviation), "\(mean), \(deviation)")
                }
                kept[same[0]] += 1
                channels.append(same[0])
            }
            together += Set(channels).count == 1 ? 1 : 0
        }
        #expect(kept.allSatisfy { (60...120).contains($0) } && together < 25, "\(kept), \(together)")
    }

    @Test func pixelationLosesDetail() throws {
        let image = TestImage.make("noise", 200, 160)
        func roughness(_ pixelation: Double) throws -> [Int] {
            let maker = try RelativePatchViews(Self.geometry, dropsColours: false, pixelation: pixelation)
            return (0..<40).map { index in
                let bytes = Self.made(maker, image, SampleKey(seed: 5, epoch: 0, index: index)).0[0]
                var sum = 0
                for place in 0..<bytes.count - 3 { sum += abs(Int(bytes[place]) - Int(bytes[place + 3])) }
                return sum / bytes.count
            }
        }
        let (sharp, half, all) = try (roughness(0), roughness(0.5), roughness(1))
        #expect(zip(sharp, all).allSatisfy { $1 <= $0 } && zip(sharp, all).count { 2 * $1 < $0 } > 10)
        let changed = zip(sharp, half).count { $0 != $1 }
        #expect((10...30).contains(changed), "\(changed)")
        #expect(try RelativePatchViews(Self.geometry, pixelation: 1).outputs == RelativePatchViews(Self.geometry).outputs)
    }

    @Test func threadsDoNotMatterToPatches() throws {
        let maker = try RelativePatchViews(.init(patch: 12, gap: 6, jitter: 1, areas: 2000...6000), neighbours: 3, pixelation: 0.5)
        let alone = try LoaderTests.all(0, maker: maker)
        #expect(try LoaderTests.all(3, maker: maker) == alone)
        #expect(try LoaderTests.all(0, maker: maker, epoch: 4)[0].bytes != alone[0].bytes)
        #expect(alone[0].bytes.map(\.count) == [4320, 4320, 4320, 4320, 240])
    }

    // MARK: Chromatic aberration

    /// On a ramp bilinear interpolation is exact: green is that of the place from which it came, red and blue are what they were.
    @Test func aberrationMovesGreenToTheCentre() {
        let (width, height) = (121, 81)
        let image = Self.drawn(width, height) { x, y in [2 * x, x + y, 3 * y] }
        let moved = ChromaticAberration(strength: 0.1).applied(to: image)
        for y in stride(from: 0, to: height, by: 3) {
            for x in stride(from: 0, to: width, by: 3) {
                let place = (y * width + x) * 3
                #expect(moved.pixels[place] == image.pixels[place] && moved.pixels[place + 2] == image.pixels[place + 2])
                let column = min(120, max(0, 60 + (Double(x) - 60) / 0.9))
                let row = min(80, max(0, 40 + (Double(y) - 40) / 0.9))
                let green = Double(moved.pixels[place + 1])
                #expect((green - column - row).magnitude <= 0.5001)
            }
        }
        #expect(ChromaticAberration(strength: 0).applied(to: image) == image)
        #expect(ChromaticAberration(strength: 0.1, p: 0).applied(to: image) == image)
        #expect(throws: AugmentationError("chromaticAberration", "strength is 0.7, but must lie in -0.5…0.5")) {
            try ChromaticAberration(strength: 0.7).validate()
        }
    }
}
