#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// All image files below a folder, in natural order.
///
/// Reads each folder once (`readdir`), asks about single files only where the file system does not tell their kind, and
/// follows links. A folder that is reached a second time, by a link, is left out: loops end, and nothing is counted twice.
struct FolderListing {
    /// File names, without their folders.
    private(set) var names = NameTable()
    /// For each file the index of its folder.
    private(set) var folderOfFile: [UInt32] = []
    /// Relative to the root, "" for the root itself; only folders that were read.
    private(set) var folders: [String] = []
    /// Files that are hidden or do not end like an image.
    private(set) var ignoredFiles = 0
    /// Of the ignored files those that are images of kinds that are not read: how many have each ending.
    private(set) var otherImages: [String: Int] = [:]
    /// Of the ignored files those that are videos, relative to the root, in no order.
    private(set) var videos: [String] = []
    /// An ignored file that looks like a packed dataset.
    private(set) var archive: String?

    private let root: String
    private var seen: Set<Identity> = []

    private struct Identity: Hashable {
        var device: UInt64
        var file: UInt64
    }

    init(_ root: String) throws(DatasetError) {
        self.root = root
        try list("")
    }

    static let extensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "dib", "ppm", "pgm", "pbm", "pnm",
    ]

    /// Endings of images that are not read, in small letters: a folder of these must not pass as one without them.
    private static let otherExtensions: Set<String> = [
        "gif", "heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "jxl", "svg", "psd", "tga", "ico", "exr", "hdr", "dcm",
        "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "srw", "pef",
    ]

    private struct Entry {
        var start: Int
        var count: Int
        var isFolder: Bool
    }

    private mutating func list(_ folder: String) throws(DatasetError) {
        let path = folder.isEmpty ? root : "\(root)/\(folder)"
        guard let stream = opendir(path) else { throw .unreadable(path: path, reason: systemMessage()) }
        defer { closedir(stream) }
        var status = stat()
        guard fstat(dirfd(stream), &status) == 0 else { throw .unreadable(path: path, reason: systemMessage()) }
        let identity = Identity(device: UInt64(truncatingIfNeeded: status.st_dev), file: UInt64(status.st_ino))
        guard seen.insert(identity).inserted else { return }

        var (text, entries) = readEntries(stream, of: folder)
        text.withUnsafeBufferPointer { text in
            entries.sort { a, b in NaturalOrder.precedes(Self.name(of: a, in: text), Self.name(of: b, in: text)) }
        }

        let folderIndex = UInt32(folders.count)
        folders.append(folder)
        for entry in entries {
            if entry.isFolder {
                let name = String(decoding: text[entry.start..<entry.start + entry.count], as: UTF8.self)
                try list(folder.isEmpty ? name : "\(folder)/\(name)")
            } else {
                text.withUnsafeBufferPointer { names.append(Self.name(of: entry, in: $0)) }
                folderOfFile.append(folderIndex)
            }
        }
    }

    private static func name(of entry: Entry, in text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: text[entry.start..<entry.start + entry.count])
    }

    /// The folder's sub-folders and image files, with their names in one buffer; counts what is ignored.
    private mutating func readEntries(_ stream: DirectoryStream, of folder: String) -> ([UInt8], [Entry]) {
        var text: [UInt8] = []
        var entries: [Entry] = []
        var found: Set<String> = []
        let nameOffset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
        while let item = readdir(stream) {
            let start = UnsafeRawPointer(item) + nameOffset
            let terminated = start.assumingMemoryBound(to: CChar.self)
            let name = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: strlen(terminated))
            let kind = kind(of: item, name: terminated, in: stream)
            if name[0] == UInt8(ascii: ".") {
                if kind == .file { ignoredFiles += 1 }
                continue
            }
            switch kind {
            case .folder:
                entries.append(Entry(start: text.count, count: name.count, isFolder: true))
                text.append(contentsOf: name)
            case .file where Self.isImage(name):
                entries.append(Entry(start: text.count, count: name.count, isFolder: false))
                text.append(contentsOf: name)
            case .file:
                ignoredFiles += 1
                let text = String(decoding: name, as: UTF8.self)
                if let ending = Self.ending(text), Self.otherExtensions.contains(ending) { otherImages[ending, default: 0] += 1 }
                if VideoFrames.isVideo(text) { videos.append(folder.isEmpty ? text : "\(folder)/\(text)") }
                if Self.runFiles.contains(text) { found.insert(text) }
                noteArchive(text)
            case .other:
                ignoredFiles += 1
            }
        }
        if !found.isDisjoint(with: Self.runFiles) {
            entries.removeAll { entry in
                guard entry.isFolder else { return false }
                let name = String(decoding: text[entry.start..<entry.start + entry.count], as: UTF8.self)
                return Self.runFolders.contains(name)
            }
        }
        return (text, entries)
    }

    /// Beside one of these files, these folders are what a run or an evaluation wrote: pictures in them are no data.
    private static let runFiles: Set<String> = ["recipe.yaml", "results.json"]
    private static let runFolders: Set<String> = ["checkpoints", "evaluation", "tensorboard", "thumbnails"]

    private enum Kind {
        case file, folder, other
    }

    #if canImport(Darwin)
    private typealias DirectoryStream = UnsafeMutablePointer<DIR>
    #else
    private typealias DirectoryStream = OpaquePointer
    #endif

    private func kind(of entry: UnsafeMutablePointer<dirent>, name: UnsafePointer<CChar>, in stream: DirectoryStream) -> Kind {
        switch Int(entry.pointee.d_type) {
        case Int(DT_REG): return .file
        case Int(DT_DIR): return .folder
        case Int(DT_LNK), Int(DT_UNKNOWN):
            var status = stat()
            // A link that leads nowhere counts as a file, so that it is reported like any other that cannot be read.
            guard fstatat(dirfd(stream), name, &status, 0) == 0 else { return .file }
            return status.st_mode & S_IFMT == S_IFDIR ? .folder : status.st_mode & S_IFMT == S_IFREG ? .file : .other
        default: return .other
        }
    }

    /// Whether a name ends like an image's.
    static func isImage(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), name.count - dot <= 5 else { return false }
        return extensions.contains(String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased())
    }

    private static func ending(_ name: String) -> String? {
        name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
    }

    private mutating func noteArchive(_ text: String) {
        guard archive == nil else { return }
        if [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip", ".7z"].contains(where: { text.lowercased().hasSuffix($0) }) {
            archive = text
        }
    }
}
