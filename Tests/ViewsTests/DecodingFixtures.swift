import Foundation

@testable import Views

/// The pictures that Tests/ReferenceValues/generate_images.py made, and what Pillow reads from them.
enum DecodingFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "ReferenceValues/images").path(percentEncoded: false)

    /// All pictures, sorted; `scaled.jpg` has expectations of its own.
    static let names: [String] = {
        let found = try? FileManager.default.contentsOfDirectory(atPath: folder)
        return (found ?? []).filter { $0.contains(".") && $0 != "scaled.jpg" }.sorted()
    }()

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path(name)))) }

    /// The picture in expected/, read without the code under test.
    static func expected(_ name: String) throws -> PixelImage {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/expected/\(name).ppm"))
        let fields = data.split(separator: 10, maxSplits: 3).prefix(3).map { String(decoding: $0, as: UTF8.self) }
        let sides = fields[1].split(separator: " ").compactMap { Int($0) }
        return PixelImage(width: sides[0], height: sides[1], pixels: Array(data.suffix(sides[0] * sides[1] * 3)))
    }
}

/// The greatest difference of a level between two pictures of the same size.
func greatestDifference(_ a: PixelImage, _ b: PixelImage) -> Int {
    guard a.width == b.width, a.height == b.height else { return .max }
    return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? .max
}
