import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that is there whole or not at all: written under a temporary name in the same folder, synced, renamed.
enum AtomicFile {
    static func write(_ text: String, to url: URL) throws(ReportError) {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UInt32.random(in: 0...UInt32.max)).tmp").path
        func failure() -> ReportError { .unwritable(file: url.path, reason: String(cString: strerror(errno))) }

        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure() }
        var error: ReportError?
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let count = Self.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    error = failure()
                    return
                }
                written += count
            }
        }
        if error == nil, fsync(descriptor) != 0 { error = failure() }
        if close(descriptor) != 0, error == nil { error = failure() }
        if error == nil, rename(temporary, url.path) != 0 { error = failure() }
        if let error {
            unlink(temporary)
            throw error
        }
        // The new name lives in the folder: without this it can be lost with the power. Some file systems refuse it.
        let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            _ = fsync(folder)
            close(folder)
        }
    }

    /// The system call, whose name is taken here.
    private static func write(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
        #else
        Darwin.write(descriptor, bytes, count)
        #endif
    }
}
