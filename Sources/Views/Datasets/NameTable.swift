/// Many short texts in one buffer: a million file names cost their letters and 8 bytes each, where `[String]` takes 16
/// and an allocation for every longer name.
struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    /// Memory taken, in bytes.
    var footprint: Int { bytes.capacity + ends.capacity * MemoryLayout<Int>.stride }

    subscript(index: Int) -> String {
        String(decoding: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]], as: UTF8.self)
    }

    mutating func append(_ name: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: name)
        ends.append(bytes.count)
    }

    mutating func append(_ name: String) {
        bytes.append(contentsOf: name.utf8)
        ends.append(bytes.count)
    }

    /// The names at `indices`, without spare room.
    func keeping(_ indices: some Collection<Int>) -> NameTable {
        var kept = NameTable()
        let range = { (index: Int) in (index == 0 ? 0 : ends[index - 1])..<ends[index] }
        kept.bytes.reserveCapacity(indices.reduce(0) { $0 + range($1).count })
        kept.ends.reserveCapacity(indices.count)
        for index in indices {
            kept.bytes.append(contentsOf: bytes[range(index)])
            kept.ends.append(kept.bytes.count)
        }
        return kept
    }
}
