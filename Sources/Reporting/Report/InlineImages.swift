import Foundation

/// Images of a run as `data:` addresses, so that the report is one file. Only images inside the run's own folder: the paths come
/// from files that anyone may have written, and a report is passed on.
struct InlineImages {
    struct Picture {
        var address: String
        /// Known for PNG only.
        var width: Int?
        var height: Int?

        /// Few pixels, which smoothing would only blur.
        var isTiny: Bool { (width ?? .max) <= 48 && (height ?? .max) <= 48 }
    }

    private let folder: URL
    private let largest: Int
    private var budget: Int
    private var known: [String: Picture?] = [:]
    private(set) var missing: [(name: String, reason: String)] = []

    /// - Parameters:
    ///   - folder: what paths are relative to.
    ///   - largest: bytes of one image.
    ///   - budget: bytes of all images together.
    init(folder: URL, largest: Int = 1 << 20, budget: Int = 12 << 20) {
        self.folder = folder.resolvingSymlinksInPath().standardizedFileURL
        self.largest = largest
        self.budget = budget
    }

    mutating func picture(_ name: String) -> Picture? {
        if let picture = known[name] { return picture }
        let picture = read(name)
        known[name] = .some(picture)
        return picture
    }

    private mutating func read(_ name: String) -> Picture? {
        func refuse(_ reason: String) -> Picture? {
            missing.append((name, reason))
            return nil
        }
        let file = folder.appendingPathComponent(name).resolvingSymlinksInPath().standardizedFileURL
        guard !name.hasPrefix("/"), file.path.hasPrefix(folder.path + "/") else { return refuse("it is outside the run folder") }
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file.path),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return refuse("there is no such file") }
        let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        guard size <= largest else { return refuse("it is larger than \(largest >> 10) KB") }
        guard size <= budget else { return refuse("the report would become too large") }
        guard let data = try? Data(contentsOf: file) else { return refuse("it cannot be read") }
        guard let type = Self.type(of: data) else { return refuse("it is not a PNG, JPEG, GIF or WebP image") }
        budget -= size
        let dimensions = Self.pngDimensions(data)
        return Picture(
            address: "data:\(type);base64,\(data.base64EncodedString())", width: dimensions?.width, height: dimensions?.height)
    }

    /// From the first bytes; the name says nothing.
    static func type(of data: Data) -> String? {
        let head = [UInt8](data.prefix(12))
        if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        if head.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if head.starts(with: Array("GIF8".utf8)) { return "image/gif" }
        if head.starts(with: Array("RIFF".utf8)), head.dropFirst(8).elementsEqual(Array("WEBP".utf8)) { return "image/webp" }
        return nil
    }

    private static func pngDimensions(_ data: Data) -> (width: Int, height: Int)? {
        let head = [UInt8](data.prefix(24))
        guard type(of: data) == "image/png", head.count == 24 else { return nil }
        func number(_ start: Int) -> Int { head[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16), number(20))
    }

    /// One line about everything that could not be shown.
    func note(_ file: String) -> String? {
        missing.first.map { first in
            let count = missing.count == 1 ? "1 image is" : "\(missing.count) images are"
            return "\(file): \(count) not shown (\(first.name): \(first.reason))"
        }
    }
}
