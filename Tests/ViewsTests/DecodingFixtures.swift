import Foundation

@testable import Views

/// The pictures that Tests/ReferenceValues/generate_images.py made, and what Pillow reads from them.
enum Fixtures {
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

/// A folder that is removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fovea-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, with the folders it lies in, and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return "\(path)/\(name)"
    }
}

/// Numbers that are the same in every run (SplitMix64).
struct FixedNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
