import Foundation

/// Every file below a folder, by its path relative to it.
public func files(below folder: String) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
        var isFolder: ObjCBool = false
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { continue }
        found[name] = try contents(of: path)
    }
    return found
}

/// How the files below two folders differ, as text: names that one lacks, and files of other bytes. Empty when they are the same.
/// Reports are compared without the time and memory that they show.
public func differences(_ a: [String: [UInt8]], _ b: [String: [UInt8]], ignoring ignored: Set<String> = []) -> [String] {
    Set(a.keys).union(b.keys).subtracting(ignored).sorted().compactMap { name in
        switch (a[name], b[name]) {
        case (var one?, var other?):
            if name.hasSuffix(".html") { (one, other) = (withoutTiming(one), withoutTiming(other)) }
            guard one != other else { return nil }
            let place = zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, other.count)
            return "\(name) differs at byte \(place) (\(one.count) and \(other.count) bytes)"
        case (nil, _): return "\(name) is only in the second"
        default: return "\(name) is only in the first"
        }
    }
}

private func withoutTiming(_ html: [UInt8]) -> [UInt8] {
    Array(String(decoding: html, as: UTF8.self).replacing(#/<div class="timing">.*?</div>/#, with: "").utf8)
}
