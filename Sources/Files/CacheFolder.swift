internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A folder of entries that can all be made again: beyond a limit those that were used longest ago are removed.
///
/// An entry is a file, or a folder of files, that is never changed; its time of change says when it was last used. What is half made
/// has its name and an ending, `.partial` at the very end. All else in the folder is left alone.
package struct CacheFolder {
    /// 20 GB.
    package static let standardLimit = 20 << 30

    package let path: String
    /// Bytes.
    package var limit: Int
    /// What entries' names end in.
    private let suffix: String
    private let isKey: @Sendable (_ name: String) -> Bool
    /// Bytes of the entries that were looked at before.
    private var sizes: [String: Int] = [:]
    /// Bytes that came in since the folder was looked through; nil when it has not been yet.
    private var added: Int?

    /// - Parameters:
    ///   - suffix: what entries' names end in, such as `.safetensors`.
    ///   - isKey: whether a name without it, up to its first point, is one that entries have: a folder that the user named may hold other
    ///     things.
    package init(
        _ path: String, limit: Int = CacheFolder.standardLimit, suffix: String = "", isKey: @escaping @Sendable (_ name: String) -> Bool
    ) {
        self.path = path
        self.limit = limit
        self.suffix = suffix
        self.isKey = isKey
    }

    /// Whether a text is a checksum's.
    package static func isChecksum(_ text: some StringProtocol) -> Bool {
        // Of 64 bits one in 200 million has fewer digits; what is shorter may be a word.
        (10...16).contains(text.count) && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    /// Says that an entry is used now.
    package static func use(_ entry: String) {
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: entry)
    }

    /// Removes what is too much, and what killed processes left half made.
    ///
    /// A folder of thousands of entries takes a while to look through: after the first time that is done when a twentieth of the limit
    /// has come in.
    /// - Parameters:
    ///   - made: the entries that were made since the last call.
    ///   - kept: entries that stay.
    ///   - seconds: entries that were used so recently stay, too.
    package mutating func removeOldest(after made: [String], keeping kept: Set<String>, usedWithin seconds: Double = 0) {
        for entry in made { sizes[entry] = Self.bytes(of: entry) }
        if var added {
            added += made.reduce(0) { $0 + (sizes[$1] ?? 0) }
            self.added = added
            guard added > limit / 20 else { return }
        }
        added = 0
        let manager = FileManager.default
        var entries: [(path: String, bytes: Int, used: Date)] = []
        let names = (try? manager.contentsOfDirectory(atPath: path)) ?? []
        for name in names {
            let (key, entry) = (String(name.prefix { $0 != "." }), "\(path)/\(name)")
            guard isKey(key), let used = (try? manager.attributesOfItem(atPath: entry))?[.modificationDate] as? Date else { continue }
            if name.hasSuffix(".partial") {
                if used.timeIntervalSinceNow < -86_400 { try? manager.removeItem(atPath: entry) }
            } else if name == key + suffix {
                let bytes = sizes[entry] ?? Self.bytes(of: entry)
                sizes[entry] = bytes
                entries.append((entry, bytes, used))
            }
        }
        entries.sort { $0.used < $1.used }
        var total = entries.reduce(0) { $0 + $1.bytes }
        for entry in entries where total > limit && !kept.contains(entry.path) && entry.used.timeIntervalSinceNow <= -seconds {
            // By another name first, so that nobody finds a folder with some of its files.
            let leaving = "\(entry.path).\(ProcessInfo.processInfo.processIdentifier).partial"
            guard rename(entry.path, leaving) == 0 else { continue }
            try? manager.removeItem(atPath: leaving)
            sizes[entry.path] = nil
            total -= entry.bytes
        }
    }

    /// Of a file, or of the files in a folder.
    private static func bytes(of entry: String) -> Int {
        let inside = (try? FileManager.default.contentsOfDirectory(atPath: entry)) ?? []
        return inside.isEmpty ? size(entry) : inside.reduce(0) { $0 + size("\(entry)/\($1)") }
    }

    /// Of the system, which is several times as fast as Foundation; of videos' frames there are many.
    private static func size(_ path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
