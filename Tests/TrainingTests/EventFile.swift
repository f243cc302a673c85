import Foundation
import Testing

/// A reader of TensorBoard's event files, written from their definition (tensorflow/core/lib/io/record_reader.cc,
/// core/util/event.proto) and apart from the writer.
struct EventFile {
    struct Event: Equatable {
        var wallTime = 0.0
        var step = 0
        var version: String?
        var scalars: [String: Float] = [:]
    }

    struct Broken: Error { let reason: String }

    let events: [Event]

    init(_ bytes: [UInt8]) throws {
        var events: [Event] = []
        var place = 0
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard place + count <= bytes.count else { throw Broken(reason: "ends inside a record at \(place)") }
            defer { place += count }
            return bytes[place..<place + count]
        }
        func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        func checked(_ count: Int) throws -> ArraySlice<UInt8> {
            let data = try take(count)
            guard integer(try take(4)) == UInt64(Self.masked(Self.crc(data))) else { throw Broken(reason: "checksum at \(place)") }
            return data
        }
        while place < bytes.count { events.append(try Self.event(checked(Int(integer(checked(8)))))) }
        self.events = events
    }

    /// CRC-32C bit by bit, by the polynomial.
    static func crc(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc: UInt32 = .max
        for byte in bytes {
            for bit in 0..<8 {
                let isSet = (crc ^ UInt32(byte >> UInt8(bit))) & 1 == 1
                crc = crc >> 1 ^ (isSet ? 0x82F6_3B78 : 0)
            }
        }
        return ~crc
    }

    private static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xA282_EAD8 }

    private enum Field {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) throws -> [(Int, Field)] {
        var rest = bytes
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { throw Broken(reason: "ends inside a number") }
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            throw Broken(reason: "a number of more than 64 bits")
        }
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count <= rest.count else { throw Broken(reason: "ends inside a field") }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        var fields: [(Int, Field)] = []
        while !rest.isEmpty {
            let key = try varint()
            let field: Field
            switch key & 7 {
            case 0: field = .number(try varint())
            case 1: field = .number(try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
            case 2: field = .bytes(try take(Int(varint())))
            case 5: field = .number(try take(4).reversed().reduce(0) { $0 << 8 | UInt64($1) })
            default: throw Broken(reason: "wire type \(key & 7)")
            }
            fields.append((Int(key >> 3), field))
        }
        return fields
    }

    private static func event(_ bytes: ArraySlice<UInt8>) throws -> Event {
        var event = Event()
        for field in try fields(bytes) {
            switch field {
            case (1, .number(let bits)): event.wallTime = Double(bitPattern: bits)
            case (2, .number(let step)): event.step = Int(step)
            case (3, .bytes(let text)): event.version = String(decoding: text, as: UTF8.self)
            case (5, .bytes(let summary)):
                for case (1, .bytes(let value)) in try fields(summary) {
                    var (tag, number) = ("", Float.nan)
                    for part in try fields(value) {
                        if case (1, .bytes(let text)) = part { tag = String(decoding: text, as: UTF8.self) }
                        if case (2, .number(let bits)) = part { number = Float(bitPattern: UInt32(bits)) }
                    }
                    event.scalars[tag] = number
                }
            default: throw Broken(reason: "field \(field.0)")
            }
        }
        return event
    }
}
