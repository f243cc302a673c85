#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What lies directly in a folder, for recognising what kind of dataset it is.
struct FolderEntries {
    let path: String
    /// Without hidden ones, and without images, of which there may be a million.
    let files: Set<String>
    let folders: Set<String>

    init(_ path: String) throws(DatasetError) {
        guard let stream = opendir(path) else { throw .unreadable(path: path, reason: systemMessage()) }
        defer { closedir(stream) }
        var files: Set<String> = []
        var folders: Set<String> = []
        let nameOffset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
        while let found = readdir(stream) {
            let start = (UnsafeRawPointer(found) + nameOffset).assumingMemoryBound(to: CChar.self)
            if start.pointee == CChar(bitPattern: UInt8(ascii: ".")) { continue }
            var isFolder = Int(found.pointee.d_type) == Int(DT_DIR)
            if !isFolder, Int(found.pointee.d_type) != Int(DT_REG) {
                var status = stat()
                isFolder = fstatat(dirfd(stream), start, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFDIR
            }
            let isImage = start.withMemoryRebound(to: UInt8.self, capacity: strlen(start)) {
                FolderListing.isImage(UnsafeBufferPointer(start: $0, count: strlen(start)))
            }
            if isFolder {
                folders.insert(String(cString: start))
            } else if !isImage {
                files.insert(String(cString: start))
            }
        }
        self.path = path
        self.files = files
        self.folders = folders
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names of a text file's lines, or nil when there is no such file.
    func lines(of file: String) throws(DatasetError) -> [String]? {
        guard files.contains(file) else { return nil }
        do throws(ImageError) {
            let contents = try FileBytes("\(path)/\(file)")
            return contents.bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }).map { String(decoding: $0, as: UTF8.self) }
        } catch {
            throw DatasetError(error, file: "\(path)/\(file)")
        }
    }
}
