import Testing

@testable import Views

@Suite("Decoding") struct DecodingTests {
    let decoder = ImageDecoder()

    @Test func fixturesAreThere() {
        #expect(DecodingFixtures.names.count >= 65)
    }

    /// JPEG decoders round differently: 2 levels. Everything else is exact.
    @Test(arguments: DecodingFixtures.names) func readsWhatPillowReads(_ name: String) throws {
        let image = try decoder.decode(DecodingFixtures.bytes(name))
        let tolerance = name.hasSuffix(".jpg") || name == "jpeg.tif" ? 2 : 0
        let difference = try greatestDifference(image, DecodingFixtures.expected(name))
        #expect(difference <= tolerance, "\(name): off by \(difference)")
    }

    @Test(arguments: DecodingFixtures.names) func sizeAgreesWithPixels(_ name: String) throws {
        let size = try decoder.size(file: DecodingFixtures.path(name))
        let image = try decoder.decode(file: DecodingFixtures.path(name))
        #expect(size == (image.width, image.height))
    }

    @Test func orientationTurnsSides() throws {
        let upright = try decoder.size(file: DecodingFixtures.path("orientation_1.jpg"))
        let turned = try decoder.size(file: DecodingFixtures.path("orientation_6.jpg"))
        #expect(upright == (23, 17) && turned == (17, 23))
    }

    /// The eight orientations of a picture of 2 × 3 pixels, numbered as stored: the table of the EXIF standard.
    @Test(arguments: [
        (1, [0, 1, 2, 3, 4, 5]), (2, [1, 0, 3, 2, 5, 4]), (3, [5, 4, 3, 2, 1, 0]), (4, [4, 5, 2, 3, 0, 1]),
        (5, [0, 2, 4, 1, 3, 5]), (6, [4, 2, 0, 5, 3, 1]), (7, [5, 3, 1, 4, 2, 0]), (8, [1, 3, 5, 0, 2, 4]),
    ])
    func orientation(tag: Int, seen: [UInt8]) throws {
        let stored = PixelImage(width: 2, height: 3, pixels: (0..<6).flatMap { [$0, $0 + 10, $0 + 20] as [UInt8] })
        let image = try #require(Orientation(rawValue: tag)).applied(to: stored)
        #expect((image.width, image.height) == (tag < 5 ? (2, 3) : (3, 2)))
        #expect(image.pixels == seen.flatMap { [$0, $0 + 10, $0 + 20] })
    }

    // MARK: Scaled JPEG: scaled.jpg has 127 × 97 pixels

    @Test(arguments: [
        (nil, 127, 97), (49, 127, 97), (25, 127, 97), (24, 64, 49), (13, 64, 49), (12, 32, 25), (7, 32, 25), (6, 16, 13), (1, 16, 13),
        (0, 127, 97),
    ])
    func scalesOnlyWhileTwiceTheTargetIsLeft(target: Int?, width: Int, height: Int) throws {
        let image = try decoder.decode(file: DecodingFixtures.path("scaled.jpg"), coveringAtLeast: target)
        #expect((image.width, image.height) == (width, height))
    }

    @Test(arguments: [(24, "scaled_2"), (12, "scaled_4")]) func scaledPixels(target: Int, expected: String) throws {
        let image = try decoder.decode(file: DecodingFixtures.path("scaled.jpg"), coveringAtLeast: target)
        let difference = try greatestDifference(image, DecodingFixtures.expected(expected))
        #expect(difference <= 2)
    }

    @Test func targetChangesNoOtherFormat() throws {
        for name in ["rgb.png", "lossy.webp", "rgb.tif", "rgb.bmp", "rgb.ppm"] {
            let image = try decoder.decode(file: DecodingFixtures.path(name), coveringAtLeast: 1)
            #expect((image.width, image.height) == (23, 17))
        }
    }

    @Test func sameFromManyThreads() async throws {
        let names = DecodingFixtures.names
        let alone = try names.map { try ImageDecoder().decode(DecodingFixtures.bytes($0)) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for offset in 0..<8 {
                group.addTask {
                    try names.indices.allSatisfy { i in
                        let k = (i + offset * 9) % names.count
                        return try ImageDecoder().decode(DecodingFixtures.bytes(names[k])) == alone[k]
                    }
                }
            }
            for try await same in group { #expect(same) }
        }
    }
}
