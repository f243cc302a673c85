internal import Files
internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// TensorBoard's event file: scalars only, appended.
///
/// A record is its length, the length's checksum, a protobuf `Event`, and the event's checksum (tensorflow/core/lib/io/
/// record_writer, core/util/event.proto). Four fields of one message do not ask for a protobuf library. The wall time of
/// an event is its step, in seconds since 1970, so that an interrupted run's file is the uninterrupted one's.
final class TensorBoardWriter {
    private let path: String
    private var descriptor: Int32
    private(set) var byteCount = 0

    /// - Parameter byteCount: how much of an existing file to keep; 0 begins a new one.
    init(_ path: String, keeping byteCount: Int = 0) throws(FileError) {
        self.path = path
        try AtomicFile.makeFolder(of: path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw FileError("write", path: path) }
        let length = Int(lseek(descriptor, 0, SEEK_END))
        self.byteCount = min(byteCount, max(length, 0))
        if ftruncate(descriptor, off_t(self.byteCount)) != 0 { throw FileError("write", path: path) }
        lseek(descriptor, off_t(self.byteCount), SEEK_SET)
        if self.byteCount == 0 {
            var event = Message()
            event.double(1, 0)
            event.bytes(3, Array("brain.Event:2".utf8))
            try append(event.data)
        }
    }

    deinit { close(descriptor) }

    func write(_ scalars: [(name: String, value: Double?)], step: Int) throws(FileError) {
        var summary = Message()
        for (name, value) in scalars {
            guard let value else { continue }
            var entry = Message()
            entry.bytes(1, Array(name.utf8))
            entry.float(2, Float(value))
            summary.bytes(1, entry.data)
        }
        var event = Message()
        event.double(1, Double(step))
        event.varint(2, UInt64(step))
        event.bytes(5, summary.data)
        try append(event.data)
    }

    /// So that what a checkpoint counts on is on the disk before it.
    func synchronize() { fsync(descriptor) }

    private func append(_ event: [UInt8]) throws(FileError) {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: event.count >> (8 * $0)) }
        let record = length + Self.checksum(length) + event + Self.checksum(event)
        let written = record.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                done += count
            }
            return true
        }
        if !written { throw FileError("write", path: path) }
        byteCount += record.count
    }

    /// CRC-32C, rotated and offset as the format asks.
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xff)] ^ crc >> 8 }
        crc = ~crc
        let masked = (crc >> 15 | crc << 17) &+ 0xa282_ead8
        return (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * $0)) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
    }

    /// Protobuf's wire format.
    private struct Message {
        var data: [UInt8] = []

        mutating func varint(_ field: Int, _ value: UInt64) {
            append(UInt64(field << 3))
            append(value)
        }

        mutating func double(_ field: Int, _ value: Double) {
            append(UInt64(field << 3 | 1))
            data += (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }

        mutating func float(_ field: Int, _ value: Float) {
            append(UInt64(field << 3 | 5))
            data += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }

        mutating func bytes(_ field: Int, _ value: [UInt8]) {
            append(UInt64(field << 3 | 2))
            append(UInt64(value.count))
            data += value
        }

        private mutating func append(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            data.append(UInt8(rest))
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, bytes, count) }
