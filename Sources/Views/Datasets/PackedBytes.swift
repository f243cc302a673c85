import CCodecs

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A packed dataset's bytes: mapped from the file, so that opening costs nothing and pages are shared between processes, or
/// inflated into memory when the file is compressed.
final class PackedBytes: @unchecked Sendable {  // never written after init
    let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool

    /// Maps a file. An empty file gives no bytes.
    init(mapping path: String) throws(DatasetError) {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemMessage()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemMessage()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a file") }
        isMapped = true
        guard status.st_size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let mapped = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw .unreadable(path: path, reason: systemMessage()) }
        bytes = UnsafeRawBufferPointer(start: mapped, count: Int(status.st_size))
    }

    /// Inflates a gzip file. How long the contents are is told by their own first bytes, so that nothing is allocated on
    /// trust.
    ///
    /// - Parameters:
    ///   - headerSize: how many bytes `size` needs.
    ///   - size: the whole length of the contents, header included, from their first bytes.
    init(inflating path: String, headerSize: Int, size: (UnsafeRawBufferPointer) throws(DatasetError) -> Int) throws(DatasetError) {
        let packed = try PackedBytes(mapping: path)
        guard let source = packed.bytes.assumingMemoryBound(to: UInt8.self).baseAddress else {
            throw .wrongSize(file: path, bytes: 0, expected: "a gzip file's")
        }
        func inflate(into out: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
            var written = 0
            var message = fovea_codec_message()
            let target = out.assumingMemoryBound(to: UInt8.self).baseAddress!
            guard fovea_gunzip(source, packed.bytes.count, target, out.count, &written, &message) == 0 else {
                throw .broken(file: path, reason: message.string)
            }
            return written
        }

        let header = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize, alignment: 8)
        defer { header.deallocate() }
        let found = try inflate(into: header)
        guard found == headerSize else { throw .wrongSize(file: path, bytes: found, expected: "at least \(headerSize) (unpacked)") }
        let expected = try size(UnsafeRawBufferPointer(header))
        // Deflate packs at most 1032 to 1.
        guard expected / 1032 <= packed.bytes.count else {
            throw .wrongSize(file: path, bytes: packed.bytes.count, expected: "enough for \(expected) (unpacked)")
        }
        // A byte more than expected: contents that go on are noticed, and for the right length zlib reaches the end and
        // compares the checksum.
        let contents = UnsafeMutableRawBufferPointer.allocate(byteCount: expected + 1, alignment: 16)
        do throws(DatasetError) {
            let written = try inflate(into: contents)
            guard written == expected else {
                throw .wrongSize(file: path, bytes: written, expected: "\(expected) (unpacked), which its header tells")
            }
        } catch {
            contents.deallocate()
            throw error
        }
        bytes = UnsafeRawBufferPointer(start: contents.baseAddress, count: expected)
        isMapped = false
    }

    deinit {
        guard let start = bytes.baseAddress else { return }
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        } else {
            bytes.deallocate()
        }
    }
}
