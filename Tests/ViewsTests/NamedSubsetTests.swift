import Foundation
import Testing

@testable import Views

@Suite struct NamedSubsetTests {
    private struct Named: ImageDataset {
        let names: [String]
        var count: Int { names.count }
        var classNames: [String] { ["a", "b"] }
        func label(at index: Int) -> Int? { index % 2 }
        func name(at index: Int) -> String { names[index] }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            PixelImage(width: 1, height: 1, pixels: [0, 0, 0])
        }
    }

    private let images = Named(names: ["a/one.png", "b/two.png", "a/three.png", "b/one.png", "plain.png"])

    private func chosen(_ text: String) throws -> [Int] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return try images.subset(named: NamedSubset(path)).indices
    }

    @Test func namesWithAndWithoutFolder() throws {
        #expect(try chosen("plain.png\r\n\n# a comment\nthree.png\n b/one.png \nthree.png") == [2, 3, 4])
    }

    @Test func unknownAndAmbiguousNamesAreOneLineWithItsNumber() throws {
        for (text, part) in [
            ("two.png\nfour.png", "line 2: no training image is called 'four.png'; they have names such as 'a/one.png'"),
            ("one.png", "line 1: 2 training images are called 'one.png'"), ("\n\n", "names no images"),
        ] {
            let error = #expect(throws: DatasetError.self) { try chosen(text) }
            #expect(error?.description.contains(part) == true && error?.description.contains("\n") == false)
        }
        #expect(throws: DatasetError.self) { try NamedSubset("/nowhere/subset.txt") }
    }
}

@Suite struct PartlyLabelledTests {
    private struct Unequal: ImageDataset {
        var count = 111
        var offset = 0
        var classNames: [String] { ["many", "few", "one"] }
        func label(at index: Int) -> Int? { index == 0 ? 2 : index % 11 == 0 ? 1 : index == 50 ? nil : 0 }
        func name(at index: Int) -> String { "\(index + offset).png" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            PixelImage(width: 1, height: 1, pixels: [UInt8(offset), 0, 0])
        }
    }

    @Test func aShareOfEveryClassKeepsItsLabel() {
        let images = Unequal()
        func kept(_ share: Double, _ seed: UInt64) -> [Int] {
            let found = images.withLabels(ofShare: share, seed: seed)
            #expect(found.count == 111 && found.classNames == images.classNames && found.name(at: 5) == "5.png")
            return (0..<111).filter { found.label(at: $0) != nil }
        }
        let rows = kept(0.2, 3)
        #expect([0, 1, 2].map { label in rows.count { images.label(at: $0) == label } } == [20, 2, 1])
        #expect(kept(0.2, 3) == rows && kept(0.2, 4) != rows)
        #expect(kept(1, 0).count == 110)
    }

    @Test func anotherSetWithoutLabelsComesBehind() throws {
        let both = WithUnlabelledDataset(Unequal(), unlabelled: Unequal(count: 9, offset: 200))
        #expect(both.count == 120 && both.label(at: 22) == 1 && both.label(at: 112) == nil)
        #expect(both.name(at: 112) == "201.png")
        #expect(try both.image(at: 112, coveringAtLeast: nil).pixels[0] == 200 && both.image(at: 3, coveringAtLeast: nil).pixels[0] == 0)
    }
}
