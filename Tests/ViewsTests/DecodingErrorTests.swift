import Testing

@testable import Views

@Suite("Decoding errors") struct DecodingErrorTests {
    let decoder = ImageDecoder()

    private func error(_ bytes: [UInt8], limit: Int = ImageDecoder.defaultPixelLimit) -> ImageError? {
        do throws(ImageError) {
            _ = try ImageDecoder(pixelLimit: limit).decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func emptyAndUnknown() throws {
        #expect(error([]) == .empty)
        #expect(error(Array("GIF89a, and more".utf8)) == .unknownFormat)
        #expect(error([0xFF]) == .unknownFormat)
        let folder = try TemporaryFolder()
        let path = try folder.write([], to: "empty.jpg")
        #expect(throws: ImageError.empty) { try decoder.decode(file: path) }
        #expect(throws: ImageError.unreadable(file: "\(folder.path)/none.jpg", reason: "No such file or directory")) {
            try decoder.decode(file: "\(folder.path)/none.jpg")
        }
        #expect(throws: ImageError.unreadable(file: folder.path, reason: "not a file")) { try decoder.decode(file: folder.path) }
    }

    /// The extension says nothing: the bytes do.
    @Test func extensionIsNotTrusted() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(DecodingFixtures.bytes("rgb.png"), to: "photo.jpg")
        #expect(try decoder.decode(file: path) == DecodingFixtures.expected("rgb.png"))
    }

    /// Cut anywhere, a file is an error. Behind the pixels of some formats lie bytes that no pixel needs: how many is stated.
    @Test(arguments: [
        ("rgb420.jpg", 3), ("grey.jpg", 3), ("progressive.jpg", 0), ("cmyk.jpg", 3), ("restarts.jpg", 3), ("rgb.png", 0),
        ("rgb_interlaced.png", 0), ("palette.png", 0), ("lossy.webp", 1), ("lossless.webp", 3), ("rgb.bmp", 3), ("palette.bmp", 1),
        ("rgb.ppm", 0), ("grey.pgm", 0), ("bilevel.pbm", 0), ("lzw.tif", 0), ("rgb16.tif", 0), ("tiled.tif", 0),
    ])
    func truncatedIsAnError(name: String, spare: Int) throws {
        let whole = try DecodingFixtures.bytes(name)
        for count in 0..<whole.count - spare {
            let found = error(Array(whole[..<count]))
            #expect(found != nil, "\(name) cut to \(count) of \(whole.count) bytes was read")
            if found == nil { break }
        }
    }

    @Test func messagesAreOneLine() throws {
        for name in DecodingFixtures.names where !name.hasSuffix("_text.ppm") && !name.hasSuffix("_text.pgm") {
            let whole = try DecodingFixtures.bytes(name)
            let text = try #require(error(Array(whole.prefix(whole.count / 2)))).description
            #expect(!text.contains("\n") && text.count < 250 && text.hasPrefix("broken ") && !text.hasSuffix(": "), "\(name): \(text)")
        }
        #expect(ImageError.empty.description == "the file is empty")
        #expect(ImageError.tooLarge(width: 3, height: 4, limit: 5).description == "3 × 4 pixels are more than the limit of 5")
        #expect(error(try Array(DecodingFixtures.bytes("rgb.png").prefix(200))) == .corrupt(format: .png, reason: "premature end of file"))
    }

    @Test(arguments: DecodingFixtures.names) func limitCountsPixelsOfTheHeader(_ name: String) throws {
        let bytes = try DecodingFixtures.bytes(name)
        let size = try decoder.size(of: bytes)
        #expect(error(bytes, limit: size.width * size.height) == nil)
        guard case .tooLarge(let width, let height, let limit) = error(bytes, limit: size.width * size.height - 1) else {
            Issue.record("\(name) was read in spite of the limit")
            return
        }
        #expect(width * height == limit + 1)
    }

    /// Headers that promise the world are refused before memory is taken for it.
    @Test func hostileHeaders() throws {
        var png = try DecodingFixtures.bytes("rgb.png")
        png.replaceSubrange(16..<24, with: [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF])
        #expect(error(png) == .corrupt(format: .png, reason: "the header promises more pixels than the file can hold"))
        png.replaceSubrange(16..<24, with: [0, 0, 0, 0, 0, 0, 0, 1])
        #expect(error(png) == .corrupt(format: .png, reason: "invalid sides in the header"))

        var jpeg = try DecodingFixtures.bytes("rgb420.jpg")
        let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0, 0xFF, 0])
        #expect(error(jpeg) == .corrupt(format: .jpeg, reason: "the header promises more pixels than the file can hold"))

        var bmp = try DecodingFixtures.bytes("rgb.bmp")
        bmp.replaceSubrange(18..<26, with: [0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F])
        #expect(error(bmp) == .tooLarge(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, limit: ImageDecoder.defaultPixelLimit))
        #expect(error(bmp, limit: .max) == .tooLarge(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, limit: 1 << 32))
        bmp.replaceSubrange(18..<26, with: [0, 0x10, 0, 0, 0, 0x10, 0, 0])
        #expect(error(bmp) == .corrupt(format: .bmp, reason: "premature end of file"))

        #expect(
            error(Array("P6 2000000000 2000000000 255\n".utf8))
                == .tooLarge(width: 2_000_000_000, height: 2_000_000_000, limit: ImageDecoder.defaultPixelLimit))
        #expect(error(Array("P5 10000 10000 255\n".utf8)) == .corrupt(format: .pnm, reason: "premature end of file"))
        #expect(error(Array("P2 10000 10000 255\n1 2 3".utf8)) == .corrupt(format: .pnm, reason: "premature end of file"))
        #expect(error(Array("P6 99999999999999999999 1 255\n".utf8)) == .corrupt(format: .pnm, reason: "too great a number"))
    }

    @Test func unsupportedKindsSaySo() throws {
        var bmp = try DecodingFixtures.bytes("palette.bmp")
        bmp[30] = 1
        #expect(error(bmp)?.description == "broken BMP: compression 1 is not supported")
    }

    @Test func encodersRoundTrip() throws {
        let image = try DecodingFixtures.expected("rgb.png")
        #expect(try decoder.decode(ImageEncoder.png(image)) == image)
        var slopes: [UInt8] = []
        for y in 0..<30 { for x in 0..<40 { slopes += [UInt8(5 * x), UInt8(7 * y), 90] } }
        let smooth = PixelImage(width: 40, height: 30, pixels: slopes)
        let fine = try decoder.decode(ImageEncoder.jpeg(smooth, quality: 97))
        #expect(greatestDifference(fine, smooth) <= 12)
        #expect(try ImageEncoder.jpeg(image, quality: 30).count < ImageEncoder.jpeg(image, quality: 95).count)
        let wide = PixelImage(width: 70_000, height: 1, pixels: [UInt8](repeating: 7, count: 210_000))
        #expect(throws: ImageError.self) { try ImageEncoder.jpeg(wide) }
        #expect(try decoder.decode(ImageEncoder.png(wide)) == wide)
    }
}
