/// 64 bits that change with every flipped bit: against damage on disk and mixed-up files, not against malice.
package struct Checksum {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    /// Every step is a bijection of the state, so that one changed word cannot cancel out.
    private mutating func mix(_ word: UInt64) {
        state = (state ^ word) &* 0x9e37_79b9_7f4a_7c15
        state ^= state >> 29
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    package mutating func add(_ buffer: UnsafeRawBufferPointer) {
        mix(UInt64(buffer.count))
        var place = 0
        while place + 8 <= buffer.count {
            mix(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        while place < buffer.count {
            mix(UInt64(buffer[place]))
            place += 1
        }
    }

    package mutating func add(_ text: String) { add(Array(text.utf8)) }
    package mutating func add(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    package var number: UInt64 { state }
    package var text: String { String(state, radix: 16) }
}
