/// 64 bits that change with every flipped bit: against damage on disk and mixed-up files, not against malice.
struct Checksum {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Every step is a bijection of the state, so that one changed word cannot cancel out.
    private mutating func mix(_ word: UInt64) {
        state = (state ^ word) &* 0x9e37_79b9_7f4a_7c15
        state ^= state >> 29
    }

    mutating func add(_ bytes: [UInt8]) {
        mix(UInt64(bytes.count))
        bytes.withUnsafeBytes { buffer in
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
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }
    mutating func add(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    var text: String { String(state, radix: 16) }
}
