import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file that could not be written or read: what, where, and what to do.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    /// `ENOSPC` and the like; 0 when the system gave none.
    public let code: Int32
    public let description: String

    public init(path: String, description: String) {
        self.path = path
        self.code = 0
        self.description = description
    }

    /// From `errno`, as it is now.
    public init(_ action: String, path: String, systemCode: Int32? = nil) {
        let code = systemCode ?? errno
        self.path = path
        self.code = code
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "free some space, or choose another folder"
            case EACCES, EPERM, EROFS: "choose a folder that you may write to, or change its permissions"
            case ENOENT, ENOTDIR, EEXIST, EISDIR, ENAMETOOLONG: "check the path"
            default: ""
            }
        description = "cannot \(action) \(path): \(String(cString: strerror(code)).lowercased())" + (remedy.isEmpty ? "" : "; " + remedy)
    }
}

/// Writes files so that a reader, also after a crash, sees either the old one or the new one, whole: to a temporary name
/// in the same folder, synced to disk, and renamed.
public struct AtomicFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isCommitted = false

    /// Opens the temporary file. Missing folders are made.
    public init(_ path: String) throws(FileError) {
        try AtomicFile.makeFolder(of: path)
        // A fixed name: what a killed process left is overwritten by the next attempt instead of piling up.
        let temporary = path + ".partial"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw FileError("write", path: path) }
        self.path = path
        self.temporary = temporary
        self.descriptor = descriptor
    }

    /// Makes the folder that a file is to lie in, and those above it, where they are missing.
    public static func makeFolder(of path: String) throws(FileError) {
        let folder = (path as NSString).deletingLastPathComponent
        if folder.isEmpty || FileManager.default.fileExists(atPath: folder) { return }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("make the folder", path: folder, systemCode: AtomicFile.systemCode(of: error))
        }
    }

    /// Foundation wraps what the system said, and `errno` is another call's by then.
    private static func systemCode(of error: any Error) -> Int32 {
        let error = error as NSError
        let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        if inner.domain == NSPOSIXErrorDomain { return Int32(inner.code) }
        switch CocoaError.Code(rawValue: error.code) {
        case .fileWriteNoPermission: return EACCES
        case .fileWriteVolumeReadOnly: return EROFS
        case .fileWriteOutOfSpace: return ENOSPC
        default: return ENOTDIR
        }
    }

    deinit {
        if !isCommitted {
            _ = close(descriptor)
            _ = unlink(temporary)
        }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Darwin)
            let written = Darwin.write(descriptor, rest.baseAddress, rest.count)
            #elseif canImport(Musl)
            let written = Musl.write(descriptor, rest.baseAddress, rest.count)
            #else
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path: path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Writes over bytes that are there already.
    public func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress! + done, bytes.count - done, off_t(offset + done)) }
            if written < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path: path)
            }
            done += written
        }
    }

    public func write(_ bytes: [UInt8]) throws(FileError) {
        try bytes.withUnsafeBufferPointer { buffer throws(FileError) in try write(UnsafeRawBufferPointer(buffer)) }
    }

    /// Puts the file in its place. Without it nothing changes.
    /// - Parameter synced: wait for the disk; needless for what can be made again.
    public consuming func commit(synced: Bool = true) throws(FileError) {
        if synced, fsync(descriptor) != 0 { throw FileError("write", path: path) }
        if rename(temporary, path) != 0 { throw FileError("write", path: path) }
        isCommitted = true
        _ = close(descriptor)
        guard synced else { return }
        // The rename itself must survive a power cut too.
        let folder = (path as NSString).deletingLastPathComponent
        let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
        if directory >= 0 {
            _ = fsync(directory)
            _ = close(directory)
        }
    }

    /// Writes the whole content at once.
    public static func write(_ bytes: [UInt8], to path: String, synced: Bool = true) throws(FileError) {
        let file = try AtomicFile(path)
        try file.write(bytes)
        try file.commit(synced: synced)
    }

    public static func write(_ text: String, to path: String) throws(FileError) { try write(Array(text.utf8), to: path) }
}
