import Files
import Foundation
import TestSupport
import Testing

@Suite struct CacheFolderTests {
    private static let keys = (1...4).map { "\($0)fedcba9876543210".prefix(16) }.map(String.init)

    /// Of 100 bytes, in two files where it is a folder; used so many seconds ago.
    private func write(_ name: String, in folder: String, isFolder: Bool = false, age: Double) throws -> String {
        let path = "\(folder)/\(name)"
        if isFolder {
            for part in ["a", "b"] { try AtomicFile.write([UInt8](repeating: 1, count: 50), to: "\(path)/\(part)", synced: false) }
        } else {
            try AtomicFile.write([UInt8](repeating: 1, count: 100), to: path, synced: false)
        }
        try FileManager.default.setAttributes([.modificationDate: Date().addingTimeInterval(-age)], ofItemAtPath: path)
        return path
    }

    @Test(arguments: [false, true]) func theLeastRecentlyUsedGo(areFolders: Bool) throws {
        try withTemporaryFolder { folder in
            let ending = areFolders ? "" : ".safetensors"
            let paths = try Self.keys.enumerated().map { place, key in
                try write("\(key)\(ending)", in: folder, isFolder: areFolders, age: Double(1000 - place))
            }
            CacheFolder.use(paths[1])
            var cache = CacheFolder(folder, limit: 250, suffix: ending) { CacheFolder.isChecksum($0) }
            cache.removeOldest(after: [], keeping: [paths[0]])
            // The first is kept, the second was used last: the two others go, until 200 bytes are left.
            #expect(try names(in: folder) == [0, 1].map { "\(Self.keys[$0])\(ending)" })
        }
    }

    @Test func whatWasUsedAMomentAgoStays() throws {
        try withTemporaryFolder { folder in
            for (key, age) in zip(Self.keys, [9000.0, 8000, 100, 10]) { _ = try write(key, in: folder, isFolder: true, age: age) }
            var cache = CacheFolder(folder, limit: 1) { CacheFolder.isChecksum($0) }
            cache.removeOldest(after: [], keeping: [], usedWithin: 3600)
            #expect(try names(in: folder) == Array(Self.keys[2...]))
        }
    }

    /// A folder of the user's own, in which there are other things too.
    @Test func nothingElseIsRemovedButOldHalves() throws {
        try withTemporaryFolder { folder in
            let others = ["cafe", "notes.txt", "weights.safetensors", "\(Self.keys[0]).txt", "film.partial"]
            for name in others { _ = try write(name, in: folder, age: 200_000) }
            _ = try write("\(Self.keys[1]).77.partial", in: folder, age: 200_000)
            _ = try write("\(Self.keys[2]).78.partial", in: folder, isFolder: true, age: 200_000)
            _ = try write("\(Self.keys[3]).79.partial", in: folder, age: 100)
            var cache = CacheFolder(folder, limit: 1) { CacheFolder.isChecksum($0) }
            cache.removeOldest(after: [], keeping: [])
            #expect(try names(in: folder) == (others + ["\(Self.keys[3]).79.partial"]).sorted())
        }
    }

    /// Looking through everything for every entry would take longer than making it.
    @Test func theFolderIsLookedThroughWhenMuchHasComeIn() throws {
        try withTemporaryFolder { folder in
            var cache = CacheFolder(folder, limit: 2100) { CacheFolder.isChecksum($0) }
            cache.removeOldest(after: [], keeping: [])
            var made: [String] = []
            for place in 0..<24 {
                made.append(try write(String(0x1234_5678_9abc + place, radix: 16), in: folder, age: Double(1000 - place)))
                // Of which the folder has too many from the 22nd on; a twentieth of the limit is more than one.
                cache.removeOldest(after: [made[place]], keeping: [])
                let most = place % 2 == 0 && place >= 21 ? 22 : 21
                #expect(try names(in: folder).count == min(place + 1, most), "\(place)")
            }
            #expect(!FileManager.default.fileExists(atPath: made[0]) && FileManager.default.fileExists(atPath: made[23]))
        }
    }
}
