#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file's contents, read whole. Reading into memory is faster than mapping for files of photographs' size, and a file
/// that another process cuts short meanwhile cannot fault us.
struct FileBytes: ~Copyable {
    /// A longer file is no photograph.
    private static let limit = 1 << 31

    let bytes: UnsafeRawBufferPointer

    init(_ path: String) throws(ImageError) {
        // Not blocking, so that a pipe of that name does not hold the loader for ever.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(file: path, reason: systemMessage()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(file: path, reason: systemMessage()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(file: path, reason: "not a file") }
        let size = Int(status.st_size)
        guard size > 0 else { throw .empty }
        guard size <= Self.limit else { throw .unreadable(file: path, reason: "\(size) bytes are too many for an image") }

        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        var filled = 0
        while filled < size {
            let count = read(descriptor, buffer.baseAddress! + filled, size - filled)
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                let reason = systemMessage()
                buffer.deallocate()
                throw .unreadable(file: path, reason: reason)
            }
            if count == 0 { break }  // cut short since fstat: decode what there is
            filled += count
        }
        bytes = UnsafeRawBufferPointer(start: buffer.baseAddress, count: filled)
    }

    deinit { bytes.deallocate() }
}
